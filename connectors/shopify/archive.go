package shopify

import (
	"archive/zip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ThemeArchive writes the archive of a theme of a point, by its id, as the admin
// of a shop takes it under "Online store, Themes, Add theme, Upload zip file".
// [fs.ErrNotExist] means that the point has no file of it.
func ThemeArchive(w io.Writer, point fs.FS, theme string) error {
	content := map[string][]byte{}
	err := fs.WalkDir(point, kindThemeFiles, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".json") {
			return err
		}
		body, err := fs.ReadFile(point, p)
		if err != nil {
			return err
		}
		var record map[string]any
		if err := decode(body, &record); err != nil {
			return err
		}
		if id, _ := record["id"].(string); !strings.HasPrefix(id, theme+"#") {
			return nil
		}
		name, _ := record["filename"].(string)
		if !fs.ValidPath(name) {
			return fmt.Errorf("%q is no name of a theme's file", name)
		}
		content[name], err = themeContent(field(record, "body"))
		return err
	})
	if err != nil {
		return fmt.Errorf("read theme %s: %w", theme, err)
	}
	if len(content) == 0 {
		return fmt.Errorf("read theme %s: %w", theme, fs.ErrNotExist)
	}
	return writeArchive(w, content)
}

func writeArchive(w io.Writer, content map[string][]byte) (err error) {
	z := zip.NewWriter(w)
	defer func() { err = errors.Join(err, z.Close()) }()
	names := make([]string, 0, len(content))
	for n := range content {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		f, err := z.Create(path.Clean(n))
		if err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
		if _, err := f.Write(content[n]); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
	}
	return nil
}

// themeContent is the content of a file of a theme.
func themeContent(body map[string]any) ([]byte, error) {
	if text, ok := body["content"].(string); ok {
		return []byte(text), nil
	}
	text, ok := body["contentBase64"].(string)
	if !ok {
		return nil, errors.New("a file of the theme has no content")
	}
	return base64.StdEncoding.DecodeString(text)
}
