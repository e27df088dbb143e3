package screen

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// WhereOf returns where a source lies, as far as its settings tell.
func WhereOf(settings map[string]string) string {
	for _, k := range []string{"path", "url", "shop", "host", "socket"} {
		if v := settings[k]; v != "" {
			return v
		}
	}
	return ""
}

// NameFor suggests a name for what lies at a path.
func NameFor(p string) string {
	base := filepath.Base(strings.ReplaceAll(p, `\`, "/"))
	if base == "." || base == "/" {
		return p
	}
	return base
}

// UniqueName returns a name that none of taken has.
func UniqueName(w *assets.Words, name string, taken []string) string {
	same := func(n string) func(string) bool { return func(t string) bool { return strings.EqualFold(n, t) } }
	out := name
	for i := int64(2); slices.ContainsFunc(taken, same(out)); i++ {
		out = w.T("name.again", assets.Args{"Name": name, "N": w.Number(i)})
	}
	return out
}

// Asks reports whether what was found is not enough to read a source: a field
// is empty that has to be filled in, or there is a password to be asked for.
func Asks(k app.KindSpec, settings map[string]string) bool {
	for _, f := range k.Fields {
		if f.Required && settings[f.Key] == "" && f.Default == "" || f.Type == app.FieldSecret && !f.Advanced {
			return true
		}
	}
	return false
}

// SuggestName suggests a name for a source of which this is known.
func SuggestName(settings map[string]string) string {
	if d := settings["database"]; d != "" {
		return d
	}
	if remote(settings) {
		return settings["host"] // its folder is called as everybody's
	}
	if where := WhereOf(settings); where != "" {
		return NameFor(where)
	}
	return ""
}

// PlaceOf tells where a source lies, for the owner: a database with its
// server.
func PlaceOf(w *assets.Words, settings map[string]string) string {
	where := WhereOf(settings)
	if remote(settings) {
		return w.T("source.place", assets.Args{"Database": settings["path"], "Where": settings["host"]})
	}
	if port := settings["port"]; port != "" && where != "" && where == settings["host"] {
		where += ":" + port
	}
	if d := settings["database"]; d != "" && where != "" {
		return w.T("source.place", assets.Args{"Database": d, "Where": where})
	}
	return where
}

// remote reports whether a source is a folder on a server.
func remote(settings map[string]string) bool { return settings["host"] != "" && settings["path"] != "" }

// DetailsOf tells what is known of a source that was found.
func DetailsOf(w *assets.Words, f app.Found, now time.Time) string {
	args := assets.Args{"Kind": w.T("source." + string(f.Kind)), "Where": PlaceOf(w, f.Settings), "Bytes": w.Bytes(f.Bytes)}
	if f.Bytes <= 0 {
		return w.T("found.details.own", args) // a server does not tell before it is logged in to
	}
	if f.Changed.IsZero() {
		return w.T("found.details", args)
	}
	args["When"] = w.When(f.Changed, now)
	return w.T("found.details.changed", args)
}

// PathField returns the one thing a kind asks for, when that is a file or a
// folder: then choosing it is all there is to do.
func PathField(k app.KindSpec) (app.Field, bool) {
	var out app.Field
	n := 0
	for _, f := range k.Fields {
		if f.Required {
			n++
			out = f
		}
	}
	return out, n == 1 && (out.Type == app.FieldFile || out.Type == app.FieldFolder)
}
