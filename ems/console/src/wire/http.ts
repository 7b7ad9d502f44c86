import type { FieldError } from "./types";

/** What a request came to where it was not done. status 0: no answer arrived, so nobody knows. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: FieldError[] = [],
    readonly retry_after_s = 0,
  ) {
    super(message);
  }

  /** Whether the act may have happened all the same. */
  get inDoubt(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

let csrf = "";
let onSignedOut: () => void = () => undefined;

export function useToken(token: string, signedOut: () => void): void {
  csrf = token;
  onSignedOut = signedOut;
}

export async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { "X-CSRF": csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(0, "no answer from the server");
  }
  const text = await answer.text();
  const said = parsed(text);
  if (answer.ok) return said as T;
  if (answer.status === 401 && csrf !== "" && path !== "/api/session") onSignedOut();
  throw refusal(answer.status, said, text, Number(answer.headers.get("Retry-After") ?? 0));
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> => call<T>("POST", path, body, headers);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The server's words, whichever of its forms they come in; a schema's refusals name the field last in `loc`. */
function refusal(status: number, said: unknown, text: string, retry: number): Refused {
  const body = (said ?? {}) as { detail?: unknown; errors?: FieldError[]; text?: string };
  const errors = Array.isArray(body.errors) ? body.errors : [];
  if (Array.isArray(body.detail)) {
    for (const each of body.detail as { loc?: unknown[]; msg?: string }[]) {
      errors.push({ field: String(each.loc?.at(-1) ?? ""), text: each.msg ?? "is not right" });
    }
  }
  const first = errors[0];
  const message = typeof body.detail === "string" ? body.detail : (body.text ?? first?.text ?? (said === null ? text.slice(0, 300) : ""));
  return new Refused(status, message || `refused (${status})`, errors, retry);
}
