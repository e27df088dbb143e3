package assets

import (
	"compress/gzip"
	"embed"
	"fmt"
	"io"
)

// packaging/tools/licences writes it: make licences.
//
//go:embed licences.txt.gz
var licences embed.FS

// Licences returns the licences of everything by others that Kvart's programs
// are made of: first a list, a line for each part with its version and the
// short name of its licence, then the texts. They stand in English, as their
// authors wrote them.
func Licences() (string, error) {
	f, err := licences.Open("licences.txt.gz")
	if err != nil {
		return "", fmt.Errorf("open licences: %w", err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", fmt.Errorf("read licences: %w", err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return "", fmt.Errorf("read licences: %w", err)
	}
	return string(b), nil
}
