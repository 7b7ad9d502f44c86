/** Keys as the server names them: "F2", "Delete", "c", "Alt+k", and two after each other with a blank between: "g b". */

export function pressed(event: KeyboardEvent): string {
  const name = event.key === " " ? "Space" : event.key;
  const shift = event.shiftKey && name.length > 1 ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${name}`;
}

/** Whether a person is typing text, so that letters are letters. */
export function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (!element?.matches) return false;
  return element.matches("textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button])");
}

const ALIKE: Record<string, string> = { Del: "Delete", Esc: "Escape", Ins: "Insert" };

export const named = (key: string): string => key.split(" ").map((part) => part.split("+").map((each) => ALIKE[each] ?? each).join("+")).join(" ");

/** Remembers the first key of a pair for a moment. */
export class Sequence {
  private first = "";
  private at = 0;

  constructor(private readonly now: () => number, private readonly apart_ms = 1_200) {}

  /** The ways in which the key just pressed may be meant, the longer first. */
  meant(key: string): string[] {
    const now = this.now();
    const pair = this.first !== "" && now - this.at <= this.apart_ms ? `${this.first} ${key}` : "";
    this.first = key;
    this.at = now;
    return pair ? [pair, key] : [key];
  }

  forget(): void {
    this.first = "";
  }
}
