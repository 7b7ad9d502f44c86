import { type CellFocusedEvent, createGrid, type GridApi, type GridOptions, type GridState, type IRowNode, themeQuartz } from "ag-grid-community";
import type { Test } from "../format/filter";
import type { Changes, Table } from "../wire/table";
import type { Column, Row } from "../wire/types";
import { colDef } from "./columns";
import { Flashes } from "./flash";
import "./modules";

const RESORT_MS = 500; // a sorted column that ticks is put in order again this often, not with every tick

export interface GridEvents {
  selected(keys: string[]): void;
  opened(key: string): void;
  menu(x: number, y: number): void;
  stateChanged(state: GridState): void;
  counted(shown: number, all: number): void;
}

const theme = themeQuartz.withParams({
  fontFamily: "inherit", fontSize: "var(--size)", rowHeight: "var(--row)", headerHeight: "calc(var(--row) + 2px)", cellHorizontalPadding: 6, spacing: 4,
  borderRadius: 0, wrapperBorderRadius: 0, wrapperBorder: false, headerFontWeight: 600,
  backgroundColor: "var(--pane)", foregroundColor: "var(--text)", chromeBackgroundColor: "var(--pane)",
  headerBackgroundColor: "var(--head)", headerTextColor: "var(--dim)", oddRowBackgroundColor: "var(--odd)",
  rowHoverColor: "var(--hover)", selectedRowBackgroundColor: "var(--select)", borderColor: "var(--line)", accentColor: "var(--accent)",
  valueChangeValueHighlightBackgroundColor: "var(--flash)",
});

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The one place that knows the grid library. A table in, a grid on screen, what a person does with it out. */
export class BlotterGrid {
  private readonly api: GridApi<Row>;
  private readonly unlisten: () => void;
  private readonly flashes = new Flashes(() => performance.now(), () => still.matches);
  private readonly flashing: string[];
  private test: Test | null = null;
  private resort = 0;
  private arrows: { shift: boolean } | null = null;
  private pending = new Map<string, string>();

  constructor(
    private readonly host: HTMLElement,
    private readonly table: Table,
    columns: Column[],
    title: string,
    private readonly events: GridEvents,
    state: GridState | undefined,
  ) {
    this.flashing = columns.filter((column) => column.flash).map((column) => column.name);
    this.api = createGrid(host, this.options(columns, title, state));
    host.addEventListener("keydown", this.keydown, true);
    this.unlisten = table.listen((changes) => this.apply(changes));
    if (table.ready) this.load();
  }

  destroy(): void {
    this.unlisten();
    window.clearTimeout(this.resort);
    this.host.removeEventListener("keydown", this.keydown, true);
    this.api.destroy();
  }

  setFilter(test: Test | null): void {
    this.test = test;
    this.api.onFilterChanged();
    this.count();
  }

  /** Rows of which something was asked that has not come back yet. */
  setPending(rows: Map<string, string>): void {
    const changed = [...new Set([...rows.keys(), ...this.pending.keys()])].filter((key) => rows.get(key) !== this.pending.get(key));
    this.pending = rows;
    const rowNodes = changed.map((key) => this.api.getRowNode(key)).filter((node): node is IRowNode<Row> => node !== undefined);
    if (rowNodes.length > 0) this.api.redrawRows({ rowNodes });
  }

  selectedKeys(): string[] {
    return this.api.getSelectedNodes().map((node) => node.id ?? "");
  }

  select(keys: string[]): void {
    this.api.deselectAll();
    const nodes = keys.map((key) => this.api.getRowNode(key)).filter((node): node is IRowNode<Row> => node !== undefined);
    this.api.setNodesSelected({ nodes, newValue: true });
    if (nodes[0]) this.api.ensureNodeVisible(nodes[0]);
  }

  focus(): void {
    const node = this.api.getSelectedNodes()[0] ?? this.api.getDisplayedRowAtIndex(0);
    const column = this.api.getAllDisplayedColumns()[0];
    if (node && node.rowIndex !== null && column) this.api.setFocusedCell(node.rowIndex, column);
    else this.host.querySelector<HTMLElement>(".ag-header-cell, [tabindex]")?.focus();
  }

  columns(): { name: string; title: string; shown: boolean }[] {
    return (this.api.getColumns() ?? []).map((column) => ({
      name: column.getColId(), title: column.getColDef().headerName ?? "", shown: column.isVisible(),
    }));
  }

  showColumn(name: string, shown: boolean): void {
    this.api.setColumnsVisible([name], shown);
  }

  state(): GridState {
    const { sort, columnOrder, columnSizing, columnVisibility, columnPinning } = this.api.getState();
    return { sort, columnOrder, columnSizing, columnVisibility, columnPinning };
  }

  /** What is on screen, as it is on screen, in order. */
  csv(): string {
    return this.api.getDataAsCsv({ processCellCallback: (cell) => safe(String(this.raw(cell.value))) }) ?? "";
  }

  private raw(value: unknown): unknown {
    return value === null || value === undefined ? "" : Array.isArray(value) ? value.join(" / ") : value;
  }

  private options(columns: Column[], title: string, state: GridState | undefined): GridOptions<Row> {
    return {
      theme,
      styleNonce: nonce,
      columnDefs: columns.map((column) => colDef(column, this.table)),
      rowData: [],
      getRowId: (params) => this.table.keyOf(params.data),
      rowSelection: { mode: "multiRow", checkboxes: false, headerCheckbox: false, enableClickSelection: true },
      suppressCellFocus: false,
      suppressDragLeaveHidesColumns: true,
      suppressMovableColumns: false,
      suppressContextMenu: true,
      suppressScrollOnNewData: true,
      animateRows: false,
      cellFlashDuration: 250,
      cellFadeDuration: 80,
      rowBuffer: 6,
      initialState: state,
      overlayNoRowsTemplate: `<span class="none">Nothing here</span>`,
      isExternalFilterPresent: () => this.test !== null,
      doesExternalFilterPass: (node) => this.test === null || (node.data !== undefined && this.test((column) => this.table.at(node.data!, column))),
      rowClassRules: { pending: (params) => params.node.id !== undefined && this.pending.has(params.node.id) },
      onSelectionChanged: () => this.events.selected(this.selectedKeys()),
      onRowDoubleClicked: (event) => event.node.id !== undefined && this.events.opened(event.node.id),
      onCellContextMenu: (event) => {
        if (!event.node.isSelected()) event.node.setSelected(true, true);
        const mouse = event.event as MouseEvent;
        mouse.preventDefault();
        this.events.menu(mouse.clientX, mouse.clientY);
      },
      onCellFocused: (event) => this.focused(event),
      onStateUpdated: (event) => {
        if (event.sources.some((source) => source.startsWith("column") || source === "sort")) this.events.stateChanged(this.state());
      },
      onGridReady: () => this.host.querySelector('[role="grid"], [role="treegrid"]')?.setAttribute("aria-label", title),
    };
  }

  private readonly keydown = (event: KeyboardEvent): void => {
    this.arrows = event.key === "ArrowUp" || event.key === "ArrowDown" ? { shift: event.shiftKey } : null;
    if (event.key === "Enter" && !event.defaultPrevented) {
      const [key] = this.selectedKeys();
      if (key !== undefined && (event.target as HTMLElement).closest(".ag-body, .ag-row")) {
        event.preventDefault();
        event.stopPropagation();
        this.events.opened(key);
      }
    }
  };

  private focused(event: CellFocusedEvent<Row>): void {
    if (!this.arrows || event.rowIndex === null || event.rowPinned) return;
    const { shift } = this.arrows;
    this.arrows = null;
    this.api.getDisplayedRowAtIndex(event.rowIndex)?.setSelected(true, !shift);
  }

  private load(): void {
    const selected = this.selectedKeys();
    this.api.setGridOption("rowData", [...this.table.rows.values()]);
    if (selected.length > 0) this.select(selected.filter((key) => this.table.rows.has(key)));
    this.count();
  }

  private apply(changes: Changes): void {
    if (changes.whole) return this.load();
    const add: Row[] = [];
    for (const row of changes.put) {
      const node = this.api.getRowNode(this.table.keyOf(row));
      if (!node) add.push(row);
      else this.change(node, row);
    }
    if (add.length > 0 || changes.del.length > 0) {
      const remove = changes.del.map((key) => this.api.getRowNode(key)?.data).filter((row): row is Row => row !== undefined);
      this.api.applyTransaction({ add, remove, addIndex: 0 });
      this.count();
    }
    if (changes.put.length > 0 && (this.test !== null || this.sorted())) this.orderLater();
  }

  private change(node: IRowNode<Row>, row: Row): void {
    const before = node.data;
    node.updateData(row);
    if (!before || !node.displayed) return;
    const columns = this.flashing.filter(
      (name) => this.table.at(before, name) !== this.table.at(row, name) && this.flashes.may(`${node.id} ${name}`),
    );
    if (columns.length > 0) this.api.flashCells({ rowNodes: [node], columns });
  }

  private sorted(): boolean {
    return this.api.getColumnState().some((column) => column.sort);
  }

  private orderLater(): void {
    if (this.resort !== 0) return;
    this.resort = window.setTimeout(() => {
      this.resort = 0;
      this.api.refreshClientSideRowModel(this.test !== null ? "filter" : "sort");
      this.count();
    }, RESORT_MS);
  }

  private count(): void {
    this.events.counted(this.api.getDisplayedRowCount(), this.table.rows.size);
  }
}

/** A spreadsheet takes text that begins with these for a formula. */
const safe = (text: string): string => (/^[=+@\t\r]/.test(text) || /^-[^0-9.]/.test(text) ? `'${text}` : text);
