package autostart

import (
	"bytes"
	"encoding/xml"

	"kvart/app"
)

const entryName = app.ID

// quote escapes arguments for the property list, which the library puts
// together without doing so.
func quote(exec []string) ([]string, error) {
	out := make([]string, len(exec))
	for i, arg := range exec {
		var b bytes.Buffer
		if err := xml.EscapeText(&b, []byte(arg)); err != nil {
			return nil, err
		}
		out[i] = b.String()
	}
	return out, nil
}

// hidden reports whether the entry is turned off elsewhere; macOS does not
// tell.
func hidden() bool { return false }

func allow() error { return nil }
