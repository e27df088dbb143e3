package watch

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// What is known of one file.
const (
	flagGood   = 1 << iota // it held what its type says
	flagBad                // it holds something else
	flagPlain              // it was far from random
	flagTurned             // it was good or plain and is bad now
	flagOurs               // Kvart's own canary
)

// file is what is remembered of one item of a source: small, so that a
// hundred thousand cost a few megabytes.
type file struct {
	stamp   uint32 // of size and time
	money   uint32 // of its prices, or of where its payments go
	at      uint32 // minute it last changed in; 0 when it never did
	moneyAt uint32 // minute its money last changed in
	seen    uint32 // minute it was first seen in
	day     uint16 // of its own time, days since 1970
	kind    uint16 // index of kinds
	flags   uint8
}

// names are kept as hashes: what is learned must not tell what the shop has.
func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

func minuteOf(t time.Time) uint32 { return uint32(max(t.Unix()/60, 1)) }

func dayOf(t time.Time) uint16 { return uint16(min(max(t.Unix()/86400, 0), 1<<16-1)) }

// look is what one run showed of one item.
type look struct {
	name  uint64
	stem  uint64 // of the name without its last ending
	kind  string
	stamp uint32
	day   uint16
	// looked is set once its content was read.
	looked bool
	flags  uint8
	money  uint32
	record bool // a record of a shop, not a file
}

// run implements [app.RunWatch].
type run struct {
	s *state

	mu   sync.Mutex
	seen map[uint64]*look
	held map[string]int64 // kinds of a shop, and how many it let go at once
}

// Begin implements [app.Judge].
func (w *Watch) Begin(learned []byte) (app.RunWatch, error) {
	s, err := decode(learned)
	if err != nil {
		return nil, err
	}
	return &run{s: s, seen: map[uint64]*look{}, held: map[string]int64{}}, nil
}

// Item implements [app.RunWatch]. Databases and dumps are judged by their
// counts: as files they change whenever anything in them does.
func (r *run) Item(i app.Item) app.Item {
	if i.Pages > 0 || i.Rolling || !i.Mode.IsRegular() || i.Open == nil {
		return i
	}
	if i.Size < 0 {
		return r.absent(i)
	}
	l := &look{name: hashOf(i.Path), stamp: stampOf(i), day: dayOf(i.ModTime)}
	l.kind, l.record = kindOf(i.Path)
	base := path.Base(i.Path)
	if at := strings.LastIndexByte(base, '.'); at > 0 {
		l.stem = hashOf(i.Path[:len(i.Path)-len(base)+at])
	}
	if base == CanaryName {
		l.flags |= flagOurs
	}
	r.mu.Lock()
	r.seen[l.name] = l
	r.mu.Unlock()
	open := i.Open
	i.Open = func(ctx context.Context) (io.ReadCloser, error) {
		f, err := open(ctx)
		if err != nil {
			return f, err
		}
		return &taster{ReadCloser: f, l: l, r: r, size: i.Size}, nil
	}
	return i
}

// absent watches an item that stands for something that could not be had: a
// kind of which the shop let go of more than it usually does.
func (r *run) absent(i app.Item) app.Item {
	open := i.Open
	i.Open = func(ctx context.Context) (io.ReadCloser, error) {
		f, err := open(ctx)
		if app.CodeOf(err) == app.CodeShopShrunk {
			e := app.AsError(err)
			n, convErr := strconv.ParseInt(e.Args["count"], 10, 64)
			if convErr != nil {
				n = 0 // how many is for the owner to read; that it is many was said
			}
			r.mu.Lock()
			r.held[e.Args["kind"]] = n
			r.mu.Unlock()
		}
		return f, err
	}
	return i
}

func stampOf(i app.Item) uint32 {
	b := binary.LittleEndian.AppendUint64(nil, uint64(i.ModTime.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(i.Size))
	h := hashOf(string(b))
	return uint32(h ^ h>>32)
}

// kindOf returns what an item is one of: a kind of record for a shop's, else
// the ending of its name.
func kindOf(p string) (kind string, record bool) {
	ending := strings.ToLower(path.Ext(p))
	if len(ending) > 16 || strings.ContainsAny(ending, " /") {
		ending = ""
	}
	if top, _, ok := strings.Cut(p, "/"); ok && ending == ".json" && money(top) != nil {
		return top, true
	}
	return ending, false
}

// maxWhole bounds a record that is read to its end.
const maxWhole = 512 << 10

// taster looks at the beginning of what is read through it, or at all of it.
type taster struct {
	io.ReadCloser
	l    *look
	r    *run
	size int64 // by the item
	n    int64 // read so far
	head []byte
	done bool
}

// Read implements [io.Reader].
func (t *taster) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	limit := sample
	if t.l.record {
		limit = maxWhole
	}
	if room := limit - len(t.head); room > 0 && !t.done {
		t.head = append(t.head, p[:min(n, room)]...)
	}
	t.n += int64(n)
	if len(t.head) >= limit {
		t.judge()
	}
	return n, err
}

// Close implements [io.Closer]. What was read only in part was not seen.
func (t *taster) Close() error {
	if t.n >= t.size {
		t.judge()
	}
	return t.ReadCloser.Close()
}

// judge notes what the beginning shows.
func (t *taster) judge() {
	if t.done {
		return
	}
	t.done = true
	flags := contentOf(t.l.kind, t.head)
	var m uint32
	if t.l.record && t.n < maxWhole {
		m = moneyOf(t.l.kind, t.head)
		flags = 0
	}
	t.head = nil
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.l.looked, t.l.flags, t.l.money = true, t.l.flags|flags, m
}
