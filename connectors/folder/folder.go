// Package folder protects a folder of ordinary files: pictures, price lists,
// templates, accounts. It captures every file with its name, mode and time,
// never follows a symbolic link, tells what it could not read, and puts files
// back one by one, each whole or not at all. It knows no vault and no other
// connector.
//
// A database a program is writing does not belong in such a folder: read file
// by file it is torn. That is what the kind sqlite is for.
package folder

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"kvart/app"
	"kvart/connectors/internal/exclude"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "folder"

// Fields of the settings.
const (
	fieldPath    = "path"
	fieldExclude = "exclude"
)

// Connector reads folders. It is safe for concurrent use.
type Connector struct {
	log   *slog.Logger
	files *rawfile.Keeper

	// Roots are the folders Discover suggests; empty means the usual ones of
	// this account. Set it before the first use.
	Roots []string
}

var (
	_ app.Connector  = (*Connector)(nil)
	_ app.Discoverer = (*Connector)(nil)
	_ app.Restorer   = (*Connector)(nil)
	_ app.Differ     = (*Connector)(nil)
)

// New returns a connector. Everything in this process that may open a database
// file shares files.
func New(log *slog.Logger, files *rawfile.Keeper) *Connector {
	return &Connector{log: log, files: files}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 2, Fields: []app.Field{
		{Key: fieldPath, Type: app.FieldFolder, Required: true},
		{Key: fieldExclude, Type: app.FieldLines},
	}}
}

// source returns the folder, with a symbolic link to it followed, and what is
// to be left out.
func source(a app.Access) (root string, ex exclude.Patterns, err error) {
	path := a.Source.Settings[fieldPath]
	if path == "" {
		return "", ex, app.Errorf(app.CodeUsage, "folder: settings", "no path").With("field", fieldPath)
	}
	if ex, err = exclude.Parse("folder: settings", fieldExclude, a.Source.Settings[fieldExclude], newPrefix); err != nil {
		return "", ex, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", ex, fmt.Errorf("find %s: %w", path, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what is wrong with it otherwise shows when it is opened
	}
	return path, ex, nil
}

// isFolder makes sure that root is a folder that answers.
func isFolder(op, root string) error {
	fi, err := os.Stat(root)
	if err != nil {
		return volume.Error(op, root, err)
	}
	if !fi.IsDir() {
		return app.Errorf(app.CodeSourceUnreadable, op, "%s is no folder", root).With("path", root)
	}
	return nil
}

// Check implements [app.Connector]. It reads the names in the folder itself
// and counts nothing below, so that it is quick however much there is.
func (c *Connector) Check(ctx context.Context, a app.Access) (app.SourceInfo, error) {
	const op = "folder: check"
	root, ex, err := source(a)
	if err != nil {
		return app.SourceInfo{}, err
	}
	if err := ctx.Err(); err != nil {
		return app.SourceInfo{}, canceled(op, err)
	}
	if err := isFolder(op, root); err != nil {
		return app.SourceInfo{}, err
	}
	list, err := os.ReadDir(root)
	if err != nil {
		return app.SourceInfo{}, volume.Error(op, root, err)
	}
	fi, err := os.Stat(root)
	if err != nil {
		return app.SourceInfo{}, volume.Error(op, root, err)
	}
	info := app.SourceInfo{Changed: fi.ModTime()}
	for _, e := range list {
		fi, err := e.Info()
		if err != nil || ex.Match(e.Name(), e.IsDir()) || !fi.Mode().IsRegular() {
			continue
		}
		info.Files++
		info.Bytes += fi.Size()
		if fi.ModTime().After(info.Changed) {
			info.Changed = fi.ModTime()
		}
	}
	return info, nil
}

func canceled(op string, err error) error {
	return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
}
