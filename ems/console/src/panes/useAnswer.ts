import { useEffect, useState } from "preact/hooks";
import { get, Refused } from "../wire/http";

export interface Answered<T> {
  value: T | null;
  trouble: string;
  again: () => void;
}

/** What a GET answers, asked again when its path changes or `again` is called. */
export function useAnswer<T>(path: string | null): Answered<T> {
  const [value, setValue] = useState<T | null>(null);
  const [trouble, setTrouble] = useState("");
  const [asked, ask] = useState(0);
  useEffect(() => setValue(null), [path]); // what another question was answered
  useEffect(() => {
    if (path === null) return;
    let gone = false;
    get<T>(path).then(
      (found) => gone || (setValue(found), setTrouble("")),
      (error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        if (!gone) setTrouble(error.message);
      },
    );
    return () => void (gone = true);
  }, [path, asked]);
  return { value, trouble, again: () => ask((n) => n + 1) };
}
