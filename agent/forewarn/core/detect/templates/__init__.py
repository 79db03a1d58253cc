"""Log lines to templates: `mask` by looks, `merge` by counting words, `miner` joins both; `header` finds what a line says."""
