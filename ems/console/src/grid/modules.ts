import {
  CellStyleModule, ClientSideRowModelApiModule, ClientSideRowModelModule, ColumnApiModule, CsvExportModule, EventApiModule,
  ExternalFilterModule, GridStateModule, HighlightChangesModule, ModuleRegistry, RenderApiModule, RowApiModule,
  RowSelectionModule, RowStyleModule, ScrollApiModule,
} from "ag-grid-community";

// Only what the console uses: each module is weight on the first load.
ModuleRegistry.registerModules([
  CellStyleModule, ClientSideRowModelApiModule, ClientSideRowModelModule, ColumnApiModule, CsvExportModule, EventApiModule,
  ExternalFilterModule, GridStateModule, HighlightChangesModule, RenderApiModule, RowApiModule, RowSelectionModule,
  RowStyleModule, ScrollApiModule,
]);
