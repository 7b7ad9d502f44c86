import type { ComponentChildren, JSX } from "preact";
import { useContext, useEffect, useId, useRef } from "preact/hooks";
import { Here } from "../app";

/** A modal dialog: focus stays in it, Escape backs out, and focus goes back to where it was. */
export function Dialog({ title, danger = false, wide = false, onClose, children }: {
  title: string; danger?: boolean; wide?: boolean; onClose: () => void; children: ComponentChildren;
}): JSX.Element {
  const here = useContext(Here);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const element = dialog.current!;
    element.showModal();
    element.querySelector<HTMLElement>("input:not([disabled]), select, textarea, .primary")?.focus();
    return () => {
      element.close();
      if (before?.isConnected && before !== document.body) before.focus();
      else here?.active.get()?.grid.focus(); // its row was drawn anew meanwhile
    };
  }, []);
  return (
    <dialog ref={dialog} class={`${danger ? "danger" : ""}${wide ? " wide" : ""}`} aria-labelledby={id}
      onCancel={(event) => (event.preventDefault(), onClose())}
      onKeyDown={(event) => event.key === "Escape" && (event.preventDefault(), event.stopPropagation(), onClose())}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
