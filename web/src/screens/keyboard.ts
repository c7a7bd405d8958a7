/** Room for the on-screen keyboard, which covers the page's lower edge where the search box is. */

/** Keeps `--keyboard` at the keyboard's height. Answers how to stop. */
export function watchKeyboard(): (() => void) | undefined {
  const viewport = window.visualViewport;
  if (!viewport) return undefined;
  const measure = () => {
    // Zoomed by the person the viewport is small as well: that is not a keyboard.
    const covered = viewport.scale > 1.01 ? 0 : Math.max(0, innerHeight - viewport.height - viewport.offsetTop);
    document.documentElement.style.setProperty('--keyboard', `${Math.round(covered)}px`);
  };
  viewport.addEventListener('resize', measure);
  viewport.addEventListener('scroll', measure);
  return () => {
    viewport.removeEventListener('resize', measure);
    viewport.removeEventListener('scroll', measure);
  };
}
