/** The screen stays on while a code is shown, and may sleep again when it is left. */
import { useEffect } from 'preact/hooks';

export function useWakeLock(): void {
  useEffect(() => {
    let held: WakeLockSentinel | undefined;
    let left = false;
    const hold = async () => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      // Refused in battery saving: the till works all the same.
      const lock = await navigator.wakeLock.request('screen').catch(() => undefined);
      if (left) void lock?.release();
      else held = lock;
    };
    const again = () => void hold();
    document.addEventListener('visibilitychange', again);
    void hold();
    return () => {
      left = true;
      document.removeEventListener('visibilitychange', again);
      void held?.release();
    };
  }, []);
}
