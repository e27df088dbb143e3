package assets

import (
	"strconv"
	"time"

	"kvart/app"
)

// ErrorWords returns what the owner reads about a failure: what happened, what
// it means for the backups and what to do now. A code this program does not
// know, from a newer guard, reads as a defect. All are "" for nil.
func ErrorWords(w *Words, e *app.Error) (title, meaning, next string) {
	if e == nil {
		return "", "", ""
	}
	code := e.Code
	if !w.Has("error." + string(code) + ".title") {
		code = app.CodeInternal
	}
	args := Args{}
	for k, v := range e.Args {
		args[k] = v
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && (k == "need" || k == "free") {
			args[k] = w.Bytes(n)
		}
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil && k == "at" {
			args[k] = w.T("when.day", Args{"Day": w.Day(t), "Clock": w.Clock(t)})
		}
	}
	text := func(part string) string { return w.T("error."+string(code)+"."+part, args) }
	return text("title"), text("meaning"), text("next")
}
