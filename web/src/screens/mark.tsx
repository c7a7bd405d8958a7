/** The mark: a square pocket with a stitched edge and a card peeking out. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
      <rect x="14" y="7" width="36" height="30" rx="5" class="mark-card" />
      <path d="M20 15h14M20 21h9" class="mark-print" />
      <path d="M8 24h48v24a9 9 0 0 1-9 9H17a9 9 0 0 1-9-9z" class="mark-pocket" />
      <path d="M13 30h38v17.5a5 5 0 0 1-5 5H18a5 5 0 0 1-5-5z" class="mark-stitch" />
    </svg>
  );
}
