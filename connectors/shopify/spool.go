package shopify

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"kvart/app"
)

// spool holds the lines of a bulk operation's result in a temporary file, under
// a key that only lives in memory, since they tell about customers.
type spool struct {
	file  *os.File
	block cipher.Block
	iv    [aes.BlockSize]byte

	deleted bool // the file, though it is open

	lines    []span
	roots    []int            // lines without a parent, in order
	children map[string][]int // lines by their parent's id, in order
}

// span is where a line lies.
type span struct {
	at   int64
	size int32
}

// lineHead is what a line says about where it belongs.
type lineHead struct {
	Parent string `json:"__parentId"`
}

// longestLine is more than Shopify puts into one line.
const longestLine = 64 << 20

// newSpool reads a result to its end. The file is gone with the spool.
func newSpool(dir string, from io.Reader) (_ *spool, err error) {
	f, err := os.CreateTemp(dir, "kvart-bulk-*")
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	// Where a file that is open can be deleted nothing of it outlives the program,
	// however that ends; where it can't, it goes when the spool does.
	deleted := os.Remove(f.Name()) == nil
	s := &spool{file: f, deleted: deleted, children: map[string][]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if _, err := rand.Read(s.iv[:8]); err != nil {
		return nil, err
	}
	if s.block, err = aes.NewCipher(key); err != nil {
		return nil, err
	}
	runtime.AddCleanup(s, func(f *os.File) { dispose(f, deleted) }, f)
	return s, s.fill(from)
}

func (s *spool) fill(from io.Reader) error {
	out := bufio.NewWriterSize(cipher.StreamWriter{S: cipher.NewCTR(s.block, s.iv[:]), W: s.file}, 1<<18)
	in := bufio.NewScanner(from)
	in.Buffer(make([]byte, 1<<16), longestLine)
	var at int64
	for in.Scan() {
		line := in.Bytes()
		if len(line) == 0 {
			continue
		}
		head, err := headOf(line)
		if err != nil {
			return app.Errorf(app.CodeShopAnswer, "shopify: read result", "line %d is cut or no JSON: %w", len(s.lines)+1, err)
		}
		if head.Parent == "" {
			s.roots = append(s.roots, len(s.lines))
		} else {
			s.children[head.Parent] = append(s.children[head.Parent], len(s.lines))
		}
		s.lines = append(s.lines, span{at, int32(len(line))})
		at += int64(len(line))
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	return nil
}

// parentName is what a line says last, if it belongs to another.
const parentName = `"__parentId":`

// headOf reads what a line says about where it belongs. It is read whole when its
// record is put together: until then it is enough that it was not cut off, and
// where Shopify writes the parent it is found without reading what comes before.
func headOf(line []byte) (head lineHead, err error) {
	if rest, ok := bytes.CutSuffix(line, []byte(`"}`)); ok && line[0] == '{' {
		at := bytes.LastIndexByte(rest, '"') + 1
		named := bytes.HasSuffix(rest[:max(at-1, 0)], []byte(parentName))
		if named && bytes.IndexByte(rest[at:], '\\') < 0 {
			head.Parent = string(rest[at:])
			return head, nil
		}
	}
	if line[0] == '{' && line[len(line)-1] == '}' && !bytes.Contains(line, []byte(parentName[:len(parentName)-1])) {
		return head, nil
	}
	return head, json.Unmarshal(line, &head)
}

// line decodes one line, less what it belongs to.
func (s *spool) line(i int) (map[string]any, error) {
	var v any // which the library reads sooner than a map
	if err := s.decode(i, &v); err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: read result", "line %d is no object", i+1)
	}
	delete(m, "__parentId")
	return m, nil
}

func (s *spool) decode(i int, out any) error {
	r, _ := lineReaders.Get().(*lineReader)
	if err := r.decode(s, s.lines[i], out); err != nil {
		return err // and r is in the middle of something
	}
	if cap(r.buf) <= largeLine {
		lineReaders.Put(r)
	}
	return nil
}

// lineReader decodes lines, one by one: of tens of thousands each would have to have
// its buffers made.
type lineReader struct {
	buf []byte
	in  bytes.Reader
	dec *json.Decoder
}

var lineReaders = sync.Pool{New: func() any {
	r := &lineReader{}
	r.dec = json.NewDecoder(&r.in)
	r.dec.UseNumber()
	return r
}}

// largeLine is one whose reader is not kept, in bytes.
const largeLine = 1 << 20

func (r *lineReader) decode(s *spool, l span, out any) error {
	skip := l.at % aes.BlockSize
	r.buf = slices.Grow(r.buf[:0], int(skip)+int(l.size))[:skip+int64(l.size)]
	if _, err := s.file.ReadAt(r.buf, l.at-skip); err != nil {
		return fmt.Errorf("read temporary file: %w", err)
	}
	iv := s.iv
	binary.BigEndian.PutUint64(iv[8:], uint64(l.at/aes.BlockSize))
	cipher.NewCTR(s.block, iv[:]).XORKeyStream(r.buf, r.buf)
	line := bytes.TrimSpace(r.buf[skip:])
	r.in.Reset(line)
	end := r.dec.InputOffset() + int64(len(line))
	if err := r.dec.Decode(out); err != nil {
		return app.Errorf(app.CodeShopAnswer, "shopify: read answer", "%w", err)
	}
	if r.dec.InputOffset() != end { // the next would begin with it
		return app.Errorf(app.CodeShopAnswer, "shopify: read answer", "more than one object in a line")
	}
	return nil
}

func (s *spool) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := ignoreClosed(s.file.Close())
	if !s.deleted {
		err = errors.Join(err, ignoreGone(os.Remove(s.file.Name())))
	}
	return err
}

// dispose takes away the file of a spool that nobody closed: a capture that
// was given up.
func dispose(f *os.File, deleted bool) {
	if f.Close() == nil && !deleted {
		_ = os.Remove(f.Name()) // closed twice does no harm, and left over the system clears it
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
