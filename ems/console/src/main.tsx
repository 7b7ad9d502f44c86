import { render } from "preact";
import { Root } from "./shell/Root";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/shell.css";
import "./style/grid.css";
import "./style/forms.css";
import "./style/panes.css";

render(<Root />, document.getElementById("console")!);
