package screen

import (
	"context"

	"kvart/app"
)

// SavePaper lets the owner choose where a document goes, has it made, writes it
// there whole or not at all, and shows it. done is called with the path.
func SavePaper(f *Frame, name string, document func(ctx context.Context) ([]byte, error), done func(path string)) {
	f.SaveFile(name, func(path string) { savePaper(f, path, document, done) })
}

func savePaper(f *Frame, path string, document func(ctx context.Context) ([]byte, error), done func(path string)) {
	f.Worker.Ask(func(ctx context.Context) error {
		b, err := document(ctx)
		if err != nil {
			return err
		}
		return WriteFile(path, b)
	}, func() {
		done(path)
		if err := f.OpenFile(path); err != nil {
			f.Trouble.Show(err, func() { f.Trouble.Show(f.OpenFile(path), nil) })
		}
	}, func() { savePaper(f, path, document, done) })
}

// WriteFile writes a document, whole or not at all.
func WriteFile(path string, b []byte) error { return app.WriteDocument(path, b) }
