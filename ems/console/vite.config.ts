import { defineConfig } from "vite";

// Hashed names may be cached for good; index.html never is. Nothing is inlined: the policy allows no data: script.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../api/_console",
    emptyOutDir: true,
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080", "/ws": { target: "ws://127.0.0.1:8080", ws: true } } },
});
