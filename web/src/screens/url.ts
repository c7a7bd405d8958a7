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

/** The same for a blob that is still being made. */
export function useMadeUrl(make: () => Promise<Blob> | undefined, key: unknown): string | undefined {
  const [blob, setBlob] = useState<Blob>();
  useEffect(() => {
    let wanted = true;
    void make()?.then((made) => wanted && setBlob(made), () => undefined);
    return () => {
      wanted = false;
    };
  }, [key]);
  return useUrl(blob);
}
