package sqlite

import (
	"path/filepath"

	"kvart/app"
)

// onShare reports whether a file lies on a network share, whose locks and times
// are its server's and may lie; also where that can't be told.
func onShare(file string) bool { return app.OnShare(filepath.Dir(file)) != app.KnownNo }
