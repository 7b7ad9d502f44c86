import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { useConsole } from "../app";

interface Props {
  name: string; // under which the share is kept
  across?: boolean; // side by side; else one above the other
  share?: number; // of the first, 0..1
  children: [ComponentChildren, ComponentChildren];
}

/** Two panes and a divider that is dragged, or moved with the arrows. */
export function Split({ name, across = false, share = 0.5, children }: Props): JSX.Element {
  const here = useConsole();
  const [part, setPart] = useState(here.layout.split(name) ?? share);
  const box = useRef<HTMLDivElement>(null);
  const move = (to: number) => {
    const kept = Math.min(0.88, Math.max(0.12, to));
    setPart(kept);
    here.layout.setSplit(name, kept);
  };
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const area = box.current!.getBoundingClientRect();
    handle.onpointermove = (at) => move(across ? (at.clientX - area.left) / area.width : (at.clientY - area.top) / area.height);
    handle.onpointerup = () => (handle.onpointermove = null);
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -0.02, ArrowUp: -0.02, ArrowRight: 0.02, ArrowDown: 0.02 }[event.key];
    if (step !== undefined) (event.preventDefault(), event.stopPropagation(), move(part + step));
  };
  const tracks = `minmax(0, ${part}fr) 5px minmax(0, ${1 - part}fr)`;
  return (
    <div ref={box} class={across ? "split across" : "split"} style={across ? { gridTemplateColumns: tracks } : { gridTemplateRows: tracks }}>
      {children[0]}
      <div class="divider" role="separator" tabIndex={0} aria-label="Divider" aria-orientation={across ? "vertical" : "horizontal"}
        aria-valuenow={Math.round(part * 100)} aria-valuemin={12} aria-valuemax={88} onPointerDown={drag} onKeyDown={keys} />
      {children[1]}
    </div>
  );
}
