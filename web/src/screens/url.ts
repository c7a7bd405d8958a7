/** Object URLs of blobs, revoked when no longer shown. */
import { useEffect, useState } from 'preact/hooks';

export function useUrl(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = blob && URL.createObjectURL(blob);
    setUrl(made);
    return () => {
      if (made) URL.revokeObjectURL(made);
    };
  }, [blob]);
  return url;
}

/** The same for a blob that is still being made, anew whenever one of `of` changes: all that it is made of. */
export function useMadeUrl(make: () => Promise<Blob> | undefined, ...of: readonly unknown[]): string | undefined {
  const [blob, setBlob] = useState<Blob>();
  useEffect(() => {
    let wanted = true;
    const show = (made?: Blob) => void (wanted && setBlob(made));
    // Where none can be made, the one of before would be shown for it.
    void (make() ?? Promise.resolve(undefined)).then(show, () => show());
    return () => {
      wanted = false;
    };
  }, of);
  return useUrl(blob);
}
