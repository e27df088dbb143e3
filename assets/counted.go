package assets

import "kvart/app"

// Counted tells how much a check looked at, "" for nothing that can be counted.
func (w *Words) Counted(c app.Counted) string {
	switch {
	case c.Tables > 0 && c.Rows > 0:
		return w.N("counted.tables.rows", c.Tables, Args{"Rows": w.N("counted.rows", c.Rows)})
	case c.Tables > 0:
		return w.N("counted.tables", c.Tables)
	case c.Rows > 0:
		return w.N("counted.rows", c.Rows)
	case c.Files > 0 && c.Bytes > 0:
		return w.N("counted.files.bytes", c.Files, Args{"Bytes": w.Bytes(c.Bytes)})
	case c.Files > 0:
		return w.N("counted.files", c.Files)
	case c.Bytes > 0:
		return w.Bytes(c.Bytes)
	}
	return ""
}
