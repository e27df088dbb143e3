package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
)

const checkFiles = "files"

// most is how many files a check names.
const most = 5

// Verify implements [app.Restorer]: every file of the point must be at the
// target, of the same size, and readable to its last byte.
func (c *Connector) Verify(ctx context.Context, r app.Restore) ([]app.Check, error) {
	dir, err := target(r)
	if err != nil {
		return nil, err
	}
	list, err := selection(ctx, r)
	if err != nil {
		return nil, err
	}
	check := app.Check{Source: r.Access.Source.Name, Code: checkFiles}
	var wrong []string
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return nil, canceled("folder: verify", err)
		}
		if seen, err := c.verify(dir, e); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", e.path, err))
			check.See(app.Named(seen, e.path))
		}
	}
	files, bytes := total(list)
	if len(r.Paths) == 0 {
		if want, ok := r.Stats["files"]; ok && want != files {
			wrong = append(wrong, fmt.Sprintf("the point holds %d files, %d were captured", files, want))
			check.See(app.Seen{Code: app.SeenFilesNumber, Count: files, Of: want})
		}
		if want, ok := r.Stats["bytes"]; ok && want != bytes {
			wrong = append(wrong, fmt.Sprintf("the point holds %d bytes, %d were captured", bytes, want))
			check.See(app.Seen{Code: app.SeenSizeOther, Count: bytes, Of: want})
		}
	}
	check.OK = len(wrong) == 0
	details := []string{fmt.Sprintf("%d files, %d bytes", files, bytes)}
	if len(wrong) > most {
		wrong = append(wrong[:most:most], fmt.Sprintf("and %d more", len(wrong)-most))
	}
	check.Detail = strings.Join(append(details, wrong...), "; ")
	check.Counted = app.Counted{Files: files, Bytes: bytes}
	return []app.Check{check}, nil
}

// verify looks at one file. What is wrong with it is said for the owner and, as
// the error, for the log.
func (c *Connector) verify(dir string, e entry) (app.SeenCode, error) {
	at := filepath.Join(dir, filepath.FromSlash(e.path))
	fi, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return app.SeenFilesMissing, err
	}
	if err != nil {
		return app.SeenFilesUnread, err
	}
	switch {
	case fi.Mode().Type() != e.mode.Type():
		return app.SeenFilesDiffer, fmt.Errorf("is %s, %s expected", fi.Mode().Type(), e.mode.Type())
	case e.mode&fs.ModeSymlink != 0:
		if link, err := os.Readlink(at); err != nil || link != e.link {
			return app.SeenFilesDiffer, errors.Join(fmt.Errorf("leads to %q, %q expected", link, e.link), err)
		}
		return "", nil
	case e.mode.IsDir():
		return "", nil
	case fi.Size() != e.size:
		return app.SeenFilesDiffer, fmt.Errorf("%d bytes, %d expected", fi.Size(), e.size)
	}
	f, err := c.files.Open(at)
	if err != nil {
		return app.SeenFilesUnread, err
	}
	n, err := io.Copy(io.Discard, f)
	if err == nil && n != e.size {
		err = fmt.Errorf("%d bytes read, %d expected", n, e.size)
	}
	return app.SeenFilesUnread, errors.Join(err, f.Close())
}
