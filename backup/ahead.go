package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"

	"kvart/backup/storage"
)

const (
	// aheadBytes may be read of a file before they are asked for.
	aheadBytes = 32 << 20
	// aheadMost pieces of a file are read at a time.
	aheadMost = 4
)

// ahead reads a large file from its start with several hands: a file is a list
// of pieces, most of them lists of small segments, and to read those one after
// the other keeps one processor busy and the others idle. Who jumps about in a
// file, or reads only its beginning, gets Kopia's own reader.
type ahead struct {
	plain  io.ReadSeekCloser
	pieces []object.IndirectObjectEntry
	read   func(ctx context.Context, e object.IndirectObjectEntry, b []byte) ([]byte, error)
	ctx    context.Context

	pos    int64
	jumped bool // plain stands at pos from here on
	stop   func()
	queue  chan chan piecewise // nil until the first piece was read
	now    []byte              // what is left of the piece being read
	whole  []byte              // that piece
	spare  chan []byte         // room of pieces that were read
	err    error
}

// piecewise is a piece that was read, or why it could not be.
type piecewise struct {
	b   []byte
	err error
}

// newAhead returns plain itself for a file of few pieces.
func newAhead(ctx context.Context, rep repo.Repository, id object.ID, plain io.ReadSeekCloser) (io.ReadSeekCloser, error) {
	direct, ok := rep.(repo.DirectRepository)
	list, indirect := id.IndexObjectID()
	if !ok || !indirect {
		return plain, nil
	}
	pieces, err := object.LoadIndexObject(ctx, listReader{direct.ContentReader(), rep}, list)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	if len(pieces) < 3 || pieces[0].Length < rollingMost {
		return plain, nil // a short file's list is of segments
	}
	return &ahead{plain: plain, pieces: pieces, ctx: ctx, stop: func() {}, read: func(ctx context.Context, e object.IndirectObjectEntry, b []byte) ([]byte, error) {
		return readPiece(ctx, direct, e, b)
	}}, nil
}

// readPiece reads a piece into b where there is room for it.
func readPiece(ctx context.Context, rep repo.Repository, e object.IndirectObjectEntry, b []byte) (_ []byte, err error) {
	r, err := rep.OpenObject(storage.Nearby(ctx), e.Object)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if int64(cap(b)) < e.Length {
		b = make([]byte, e.Length)
	}
	b = b[:e.Length]
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read piece: %w", err)
	}
	return b, ctx.Err()
}

func (a *ahead) Read(p []byte) (int, error) {
	first := a.pieces[1].Start
	switch {
	case len(p) == 0:
		return 0, nil
	case a.jumped:
		k, err := a.plain.Read(p)
		a.pos += int64(k)
		return k, err
	case a.err != nil:
		return 0, a.err
	case a.pos < first:
		k, err := a.plain.Read(p[:min(int64(len(p)), first-a.pos)])
		a.pos += int64(k)
		return k, err
	case a.queue == nil:
		a.start()
	}
	if len(a.now) == 0 {
		select {
		case a.spare <- a.whole:
		default:
		}
		a.whole, a.err = a.next()
		if a.now = a.whole; a.err != nil {
			return 0, a.err
		}
	}
	k := copy(p, a.now)
	a.now = a.now[k:]
	a.pos += int64(k)
	return k, nil
}

// next waits for the piece whose turn it is.
func (a *ahead) next() ([]byte, error) {
	ch, ok := <-a.queue
	if !ok {
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	p := <-ch
	return p.b, p.err
}

// start begins to read the pieces behind the first.
func (a *ahead) start() {
	longest := int64(1)
	for _, e := range a.pieces {
		longest = max(longest, e.Length)
	}
	hands := int(max(min(aheadBytes/longest, aheadMost, int64(runtime.GOMAXPROCS(0))), 1))
	ctx, cancel := context.WithCancel(a.ctx)
	a.queue, a.spare = make(chan chan piecewise, hands), make(chan []byte, hands)
	free := make(chan struct{}, hands)
	var work sync.WaitGroup
	work.Go(func() {
		defer close(a.queue)
		for _, e := range a.pieces[1:] {
			ch := make(chan piecewise, 1)
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			work.Go(func() {
				var room []byte
				select {
				case room = <-a.spare:
				default:
				}
				b, err := a.read(ctx, e, room)
				<-free
				ch <- piecewise{b, err}
			})
			select {
			case a.queue <- ch:
			case <-ctx.Done():
				return
			}
		}
	})
	a.stop = func() {
		cancel()
		work.Wait()
	}
}

// Seek gives the file to Kopia's reader, unless nothing moves.
func (a *ahead) Seek(offset int64, whence int) (int64, error) {
	last := a.pieces[len(a.pieces)-1]
	switch whence {
	case io.SeekCurrent:
		offset += a.pos
	case io.SeekEnd:
		offset += last.Start + last.Length
	}
	if offset == a.pos {
		return a.pos, nil
	}
	if !a.jumped {
		a.jumped = true
		a.halt()
	}
	at, err := a.plain.Seek(offset, io.SeekStart)
	if err == nil {
		a.pos = at
	}
	return at, err
}

func (a *ahead) halt() {
	a.stop()
	a.stop, a.now, a.whole = func() {}, nil, nil
}

func (a *ahead) Close() error {
	a.halt()
	a.err = errors.New("closed")
	return a.plain.Close()
}
