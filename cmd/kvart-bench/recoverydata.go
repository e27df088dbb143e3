//go:build unix

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// demoPictures is how many pictures the whole shop has.
const demoPictures = 5000

func listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// pictures is a folder of pictures, which nothing makes smaller.
type pictures struct {
	dir  string
	seed uint64
}

// make makes pictures of 20 to 200 KB in a folder for each hundred.
func (p *pictures) make(count int) error {
	source := rand.NewChaCha8(seeded(p.seed))
	sizes := rand.New(rand.NewPCG(p.seed, 5))
	for i := range count {
		dir := filepath.Join(p.dir, fmt.Sprintf("Sortiment %02d", i/100))
		if i%100 == 0 {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("make pictures: %w", err)
			}
		}
		b := make([]byte, 20_000+sizes.IntN(180_000))
		if _, err := source.Read(b); err != nil {
			return fmt.Errorf("make pictures: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("Kopp %04d, blå.jpg", i)), b, 0o600); err != nil {
			return fmt.Errorf("make pictures: %w", err)
		}
	}
	return nil
}

func seeded(seed uint64) (b [32]byte) {
	binary.LittleEndian.PutUint64(b[:], seed)
	return b
}

// sum is a sum over the names and contents of all pictures.
func (p *pictures) sum() (string, error) {
	h := sha256.New()
	n := 0
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		n++
		fmt.Fprintf(h, "%s %x\n", path, sum)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read pictures: %w", err)
	}
	return fmt.Sprintf("%d %x", n, h.Sum(nil)), nil
}

// state is a sum of each part of the shop.
func (p *recoveryPart) state(ctx context.Context) (map[string]string, error) {
	till, err := sumOf(p.till.file)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"the till": fmt.Sprintf("%x", till)}
	if out["the pictures"], err = p.pics.sum(); err != nil {
		return nil, err
	}
	h := sha256.New()
	if err := streamed(ctx, p.maria.server, h); err != nil {
		return nil, err
	}
	out["the database"] = fmt.Sprintf("%x", h.Sum(nil))
	var wrong int
	if err := p.web.speak(ctx, http.MethodGet, "wrong", &wrong); err != nil {
		return nil, err
	}
	out["the web shop"] = fmt.Sprint(wrong, " wrong products")
	return out, nil
}

// streamed writes the server's own dump of the database to w.
func streamed(ctx context.Context, s shopServer, w io.Writer) error {
	c := s.dump(ctx)
	c.Stdout = w
	_, err := timed(c)
	return err
}

// destroy does what somebody does who got in: the till is locked with a key,
// the pictures are deleted, the database is dropped, and 400 products of the web
// shop cost 1 krona.
func (p *recoveryPart) destroy(ctx context.Context) error {
	if err := encrypt(p.till.file, p.seed); err != nil {
		return err
	}
	if err := os.RemoveAll(p.pics.dir); err != nil {
		return fmt.Errorf("delete pictures: %w", err)
	}
	if err := p.maria.server.lose(ctx); err != nil {
		return err
	}
	return p.web.tell(ctx, "spoil", p.count(spoilt))
}

// encrypt writes over a file what nobody can read, of the same length.
func encrypt(file string, seed uint64) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("lock till: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("lock till: %w", err)
	}
	if _, err := io.CopyN(f, rand.NewChaCha8(seeded(seed+1)), info.Size()); err != nil {
		return fmt.Errorf("lock till: %w", err)
	}
	return nil
}
