"""The style of the page of an export, in the colours of the web client."""

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#dfdbd1, #2d3539); --muted: light-dark(#5a6165, #a0aaae);
  --surface: light-dark(#fff, #20262a); --accent: light-dark(#17695c, #63bfae);
  --code: light-dark(rgb(40 60 60 / 9%), rgb(200 230 230 / 10%)); }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif;
  color: light-dark(#1c2326, #e8ebea); background: light-dark(#faf9f6, #14181a); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { margin-top: 3rem; font-size: 1.2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 0.9rem; color: var(--muted); text-align: center; } a { color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0; }
dt, small, time, .answer, summary { color: var(--muted); font-size: 0.85rem; } dd { margin: 0; }
section { content-visibility: auto; contain-intrinsic-size: auto 40rem; }
article { margin: 0.6rem 0; padding: 0.5rem 0.8rem; background: var(--surface); border: 1px solid var(--line);
  border-radius: 0.6rem; } article:target { border-color: var(--accent); }
header a { text-decoration: none; } p { margin: 0.3rem 0; } .text { white-space: pre-wrap; }
.answer { padding-left: 0.5rem; border-left: 3px solid var(--line); } .answer a { color: inherit; }
code { padding: 0 0.2em; background: var(--code); border-radius: 0.2em; }
pre { margin: 0.3rem 0; overflow-x: auto; white-space: pre; } pre code { display: block; padding: 0.5rem; }
img { max-width: 100%; max-height: 24rem; width: auto; height: auto; border-radius: 0.4rem; }
ul.reactions { display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0.3rem 0; padding: 0; list-style: none; }
ul.reactions li { padding: 0 0.5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: 0.9rem; }
"""
