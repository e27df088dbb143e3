package rest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// errNoFile is of an address at which something else came than the file.
var errNoFile = errors.New("no file came, but a web page or nothing")

// sniffed is how much of a file tells what it is.
const sniffed = 512

// isPage reports whether a web page begins with head, where a file of some name
// was asked for: what a server says in place of a file, in good faith. typ is
// what the server called it, "" where that isn't known.
func isPage(name, typ string, head []byte) bool {
	switch ext := strings.ToLower(extension(name)); {
	case ext == ".html" || ext == ".htm" || ext == ".xhtml":
		return false
	case ext == ".svg" && bytes.Contains(head, []byte("<svg")):
		return false // it may begin as a page does, with a comment
	}
	found := http.DetectContentType(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	return strings.HasPrefix(found, "text/html") || strings.HasPrefix(typ, "text/html") && strings.HasPrefix(found, "text/")
}

// picture opens a file of the point by its address. A page that was kept in its
// place is not given out.
func (s *restore) picture(url string) (io.ReadCloser, error) {
	at := s.at(url)
	if at == "" {
		return nil, fmt.Errorf("open file of the point: %w", fs.ErrNotExist)
	}
	f, err := s.sel.point.Open(at)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, sniffed)
	head, err := r.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("read %s in the point: %w", at, err), f.Close())
	}
	if len(head) == 0 || isPage(url, "", head) {
		return nil, errors.Join(fmt.Errorf("%s in the point is %w: %w", path.Base(at), errNoFile, fs.ErrNotExist), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}
