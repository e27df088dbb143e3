package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"kvart/app"
)

// exportDocument is what export prints with --json.
type exportDocument struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func setupExport(c *command) func(context.Context) error {
	at := place(c)
	out := c.flags.String("out", "", "the `FILE`.csv to write")
	overwrite := c.flags.Bool("overwrite", false, "write over a file that is there")
	return func(ctx context.Context) error {
		r := app.ExportRequest{Source: at.Source, Point: at.Point}
		if len(c.args) > 0 {
			r.What = c.args[0] // without one the guard tells the choices
		}
		if len(c.args) > 1 {
			_, err := c.arg("WHAT")
			return err
		}
		if r.What != "" && *out == "" {
			return app.Errorf(app.CodeUsage, "read flags", "--out is missing").With("field", "out")
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			table, err := s.Export(ctx, r)
			if err != nil {
				return err
			}
			n, err := writeTable(*out, table, *overwrite)
			if err = errors.Join(err, table.Close()); err != nil {
				return err
			}
			c.result(exportDocument{*out, n}, "%s  %s", *out, c.words.Bytes(n))
			return nil
		})
	}
}

// writeTable writes a file whole or not at all, for the owner alone to read: it
// may be full of customers.
func writeTable(path string, from io.Reader, overwrite bool) (n int64, err error) {
	if _, err := os.Lstat(path); err == nil && !overwrite {
		return 0, app.Errorf(app.CodeTargetExists, "write table", "%s is there already", path).With("path", path)
	}
	failed := func(err error) error {
		return app.Errorf(app.CodeTargetReadOnly, "write table", "%w", err).With("path", filepath.Dir(path))
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".kvart-*.csv")
	if err != nil {
		return 0, failed(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	n, err = io.Copy(tmp, from)
	if err := tmp.Close(); err != nil {
		return 0, failed(err)
	}
	if err != nil {
		return 0, err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return 0, failed(err)
	}
	return n, nil
}
