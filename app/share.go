package app

import (
	"os"
	"path/filepath"
)

// OnShare reports whether a folder lies on another computer: a network drive,
// whose locks and times are its server's and may lie. [KnownNot] is for a file
// system of a program's own that doesn't say where it keeps what it shows. A
// folder that is not there is judged by the one it would be in.
func OnShare(dir string) Known {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return KnownNo // what is wrong with it shows when it is used
	}
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return shareOf(real)
		}
		up := filepath.Dir(dir)
		if !os.IsNotExist(err) || up == dir {
			return shareOf(dir)
		}
		dir = up
	}
}
