import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";

export interface Tab {
  name: string;
  title: string;
  body: () => ComponentChildren;
}

/** Panes of which one is in sight. Arrows move between them. */
export function Tabs({ label, tabs, extra }: { label: string; tabs: Tab[]; extra?: ComponentChildren }): JSX.Element {
  const id = useId();
  const [chosen, setChosen] = useState(tabs[0]?.name ?? "");
  const current = tabs.find((tab) => tab.name === chosen) ?? tabs[0];
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || !current) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length]!;
    setChosen(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-row">
        <div role="tablist" aria-label={label} onKeyDown={move}>
          {tabs.map((tab) => (
            <button key={tab.name} id={`${id}-${tab.name}`} type="button" role="tab" aria-selected={tab === current} aria-controls={`${id}-panel`}
              tabIndex={tab === current ? 0 : -1} onClick={() => setChosen(tab.name)}>{tab.title}</button>
          ))}
        </div>
        {extra}
      </div>
      <div class="tab-panel" id={`${id}-panel`} role="tabpanel" tabIndex={0} aria-labelledby={current ? `${id}-${current.name}` : undefined} key={current?.name}>
        {current?.body()}
      </div>
    </div>
  );
}
