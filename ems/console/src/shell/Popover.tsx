import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A button that opens a small box under it; Escape or a click elsewhere closes it. */
export function Popover({ label, title, children }: { label: string; title: string; children: (close: () => void) => ComponentChildren }): JSX.Element {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: MouseEvent) => !place.current?.contains(event.target as Node) && setOpen(false);
    document.addEventListener("mousedown", outside);
    return () => document.removeEventListener("mousedown", outside);
  }, [open]);
  const close = () => (setOpen(false), place.current?.querySelector("button")?.focus());
  return (
    <span class="popover" ref={place} onKeyDown={(event) => open && event.key === "Escape" && (event.stopPropagation(), close())}>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{label}</button>
      {open && <div class="box-under" role="group" aria-label={title}>{children(close)}</div>}
    </span>
  );
}
