package ui

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
)

func (w *Window) chooseFile(done func(string)) {
	d := dialog.NewFileOpen(func(f fyne.URIReadCloser, err error) {
		if err != nil || f == nil {
			return
		}
		if err := f.Close(); err != nil {
			w.opts.Log.Warn("Close chosen file", "error", err)
		}
		done(f.URI().Path())
	}, w.win)
	d.Resize(fyne.NewSize(860, 600))
	d.Show()
}

func (w *Window) chooseFolder(done func(string)) {
	d := dialog.NewFolderOpen(func(f fyne.ListableURI, err error) {
		if err == nil && f != nil {
			done(f.Path())
		}
	}, w.win)
	d.Resize(fyne.NewSize(860, 600))
	d.Show()
}

// chooseSave asks for a name of a file to be written. The dialog has made an
// empty file by then, in place of one that the owner agreed to lose: it is taken
// away again, so that who writes need not write over anything.
func (w *Window) chooseSave(name string, done func(string)) {
	d := dialog.NewFileSave(func(f fyne.URIWriteCloser, err error) {
		if err != nil || f == nil {
			return
		}
		path := f.URI().Path()
		if err := f.Close(); err != nil {
			w.opts.Log.Warn("Close chosen file", "error", err)
		}
		if err := removeEmpty(path); err != nil {
			w.opts.Log.Warn("Remove empty file", "error", err)
		}
		done(path)
	}, w.win)
	d.SetFileName(name)
	d.Resize(fyne.NewSize(860, 600))
	d.Show()
}

// removeEmpty removes a file that holds nothing.
func removeEmpty(path string) error {
	i, err := os.Stat(path)
	if err != nil || i.Size() > 0 {
		return err
	}
	return os.Remove(path)
}

// open shows a file in the program the system has for it.
func open(a fyne.App, path string) error {
	u := fileURL(path)
	if err := a.OpenURL(u); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// browse shows a page in the browser.
func browse(a fyne.App, address string) error {
	u, err := url.Parse(address)
	if err == nil {
		err = a.OpenURL(u)
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", address, err)
	}
	return nil
}

// fileURL returns a file's address; one of Windows begins with its drive.
func fileURL(path string) *url.URL {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return &url.URL{Scheme: "file", Path: p}
}
