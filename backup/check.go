package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// checkTurn is how many bytes are read before others get their turn.
	checkTurn = 64 << 20
	// checkGroup is of how many packs the contents are held in memory at once.
	checkGroup = 64
	// everything is a budget that is never used up.
	everything = math.MaxInt64
)

var _ app.Checker = (*Vault)(nil)

// storedObject is a pack or an index blob that the index needs.
type storedObject struct {
	id     blob.ID
	length int64 // in the storage, -1 when it is missing
	stored time.Time
	end    int64 // of the last content the index places in it
	used   int64 // by the contents the index places in it
}

// Check implements [app.Checker]. It holds the vault's turn for a slice at a
// time.
func (v *Vault) Check(ctx context.Context, budget int64, p app.Progress) (app.CheckReport, error) {
	ctx = withLog(ctx, v.log)
	if p == nil {
		p = noProgress{}
	}
	rep, err := v.check(ctx, budget, p)
	if err != nil {
		return app.CheckReport{}, stopped(ctx, "check", err)
	}
	return rep, nil
}

// stopped gives a code to the error that ended what runs beside others. That
// ctx ended tells more than what came of it.
func stopped(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return storage.Translate(op, err)
}

// checking is one run of Check.
type checking struct {
	v       *Vault
	open    opener
	prog    app.Progress
	memory  checkMemory
	objects map[blob.ID]*storedObject
	suspect map[blob.ID]*storedObject
	report  app.CheckReport
}

func (v *Vault) check(ctx context.Context, budget int64, p app.Progress) (app.CheckReport, error) {
	c := &checking{v: v, prog: p, memory: v.loadCheckMemory(v.now()), suspect: map[blob.ID]*storedObject{}}
	if err := c.turn(ctx, func() error { return c.survey(ctx) }); err != nil {
		return app.CheckReport{}, err
	}
	for todo := c.order(); len(todo) > 0 && c.report.Bytes < budget; {
		n, err := c.group(ctx, todo[:min(checkGroup, len(todo))], budget)
		if err != nil {
			return app.CheckReport{}, err
		}
		todo = todo[n:]
	}
	if err := c.turn(ctx, func() error { return c.confirm(ctx) }); err != nil {
		return app.CheckReport{}, err
	}
	if err := v.keepCheckMemory(c.memory, c.objects); err != nil {
		return app.CheckReport{}, err
	}
	return c.sum(), nil
}

// turn runs fn while nothing else changes the vault from here.
func (c *checking) turn(ctx context.Context, fn func() error) error {
	end, err := c.v.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return fn()
}

// survey proves the format blob, and finds out what the index needs and what
// the storage holds. The index comes first: whatever it names must be there.
func (c *checking) survey(ctx context.Context) error {
	v := c.v
	bad, err := v.badFormat(ctx)
	if err != nil {
		return err
	}
	if bad != "" {
		c.damaged(bad)
	}
	c.open = openerOf(v.rep.ContentReader().ContentFormat())
	if err := c.refresh(ctx); err != nil {
		return err
	}
	if c.objects, err = needed(ctx, v.rep); err != nil {
		return err
	}
	err = v.loc.Store.ListBlobs(ctx, "", func(m blob.Metadata) error {
		if o := c.objects[m.BlobID]; o != nil {
			o.length, o.stored = m.Length, m.Timestamp
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	for id, o := range c.objects {
		if o.length < o.end || o.length < 0 {
			c.suspect[id] = o
		}
	}
	return nil
}

// refresh reads the index anew. When a blob of it is damaged, which is found
// here, what was known before has to do.
func (c *checking) refresh(ctx context.Context) error {
	err := c.v.refresh(ctx)
	if err == nil || ctx.Err() != nil || !storage.IsDamage(err) {
		return err
	}
	ids, listErr := indexBlobs(ctx, c.v.loc.Store)
	if listErr != nil {
		return listErr
	}
	found := false
	for _, id := range ids {
		b, readErr := c.v.readStored(ctx, id)
		if readErr != nil {
			return fmt.Errorf("read %s: %w", id, readErr)
		}
		if b != nil && c.open.openIndex(id, b) == nil {
			continue
		}
		found = true
		c.damaged(id)
	}
	if !found {
		return err
	}
	return nil
}

// damaged puts an object into the report, once.
func (c *checking) damaged(id blob.ID) {
	if !slices.Contains(c.report.Damaged, string(id)) {
		c.report.Damaged = append(c.report.Damaged, string(id))
	}
}

// badFormat looks whether the format blobs open as the storage holds them now,
// and returns the one that is damaged. Those that are as they were when the
// vault was opened need no proof, which takes a second and much memory.
func (v *Vault) badFormat(ctx context.Context) (blob.ID, error) {
	now, err := v.KitBlobs(ctx)
	if err != nil {
		return "", err
	}
	kept, err := keptFormat(filepath.Dir(v.dir), v.id)
	if err == nil && maps.EqualFunc(now, kept, slices.Equal[[]byte]) {
		return "", nil
	}
	_, err = formatOf(ctx, v.loc.Store, v.passphrase(), v.now)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, format.ErrInvalidPassword) || !storage.IsDamage(err):
		return "", err
	case strings.Contains(err.Error(), lockBlobText):
		return format.KopiaBlobCfgBlobID, nil
	}
	return format.KopiaRepositoryBlobID, nil
}

// needed lists the packs and index blobs that the index needs.
func needed(ctx context.Context, rep repo.DirectRepository) (map[blob.ID]*storedObject, error) {
	objects := map[blob.ID]*storedObject{}
	err := rep.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(info content.Info) error {
		o := objects[info.PackBlobID]
		if o == nil {
			o = &storedObject{id: info.PackBlobID, length: -1}
			objects[o.id] = o
		}
		o.end = max(o.end, int64(info.PackOffset)+int64(info.PackedLength))
		o.used += int64(info.PackedLength)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list contents: %w", err)
	}
	index, err := rep.IndexBlobs(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("list index blobs: %w", err)
	}
	for _, m := range index {
		objects[m.BlobID] = &storedObject{id: m.BlobID, length: -1}
	}
	return objects, nil
}

// order returns what is to be read: what was damaged first, then what was not
// read for longest.
func (c *checking) order() []*storedObject {
	var todo []*storedObject
	for _, o := range c.objects {
		if c.suspect[o.id] == nil {
			todo = append(todo, o)
		}
	}
	rank := func(o *storedObject) int64 {
		if c.memory.Damaged[o.id] {
			return -1
		}
		return c.memory.Read[o.id]
	}
	slices.SortFunc(todo, func(a, b *storedObject) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.id, b.id))
	})
	return todo
}

// group reads some objects, a slice at a time, until the budget is used up, and
// returns how many.
func (c *checking) group(ctx context.Context, todo []*storedObject, budget int64) (int, error) {
	packs := map[blob.ID]bool{}
	for _, o := range todo {
		packs[o.id] = true
	}
	pieces, err := piecesOf(ctx, c.v.rep, packs)
	if err != nil {
		return 0, err
	}
	n := 0
	for n < len(todo) && c.report.Bytes < budget {
		err := c.turn(ctx, func() error {
			for start := c.report.Bytes; n < len(todo) && c.report.Bytes < budget && c.report.Bytes-start < checkTurn; n++ {
				if err := c.read(ctx, todo[n], pieces[todo[n].id]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		if err := c.v.keepCheckMemory(c.memory, c.objects); err != nil {
			return n, err
		}
	}
	return n, nil
}

// read reads one object in full.
func (c *checking) read(ctx context.Context, o *storedObject, pieces []content.Info) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.prog.Expect(1, o.length)
	b, err := c.v.readStored(ctx, o.id)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.id, err)
	}
	c.report.Packs++
	c.report.Bytes += int64(len(b))
	c.prog.Done(1, o.length)
	if b != nil && c.sound(o, pieces, b) {
		c.memory.Read[o.id] = c.v.now().Unix()
		delete(c.memory.Damaged, o.id)
		return nil
	}
	c.suspect[o.id] = o
	return nil
}

func (c *checking) sound(o *storedObject, pieces []content.Info, b []byte) bool {
	if isPack(o.id) {
		return len(c.open.badPieces(pieces, b)) == 0
	}
	return c.open.openIndex(o.id, b) == nil
}

// confirm looks at everything suspect once more: another computer may have
// moved what was in it elsewhere, and deleted it, since the index was read.
func (c *checking) confirm(ctx context.Context) error {
	if len(c.suspect) == 0 {
		return nil
	}
	if err := c.refresh(ctx); err != nil {
		return err
	}
	now, err := needed(ctx, c.v.rep)
	if err != nil {
		return err
	}
	packs := map[blob.ID]bool{}
	for id := range c.suspect {
		packs[id] = true
	}
	pieces, err := piecesOf(ctx, c.v.rep, packs)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(c.suspect)) {
		if now[id] == nil {
			delete(c.objects, id)
			continue
		}
		b, err := c.v.readStored(ctx, id)
		if err != nil {
			return fmt.Errorf("read %s again: %w", id, err)
		}
		if b != nil && c.sound(now[id], pieces[id], b) {
			c.memory.Read[id] = c.v.now().Unix()
			delete(c.memory.Damaged, id)
			continue
		}
		c.memory.Damaged[id] = true
		delete(c.memory.Read, id)
		c.damaged(id)
	}
	return nil
}

// sum completes the report.
func (c *checking) sum() app.CheckReport {
	r := c.report
	oldest, unread := int64(math.MaxInt64), false
	for id, o := range c.objects {
		size := max(o.length, 0)
		r.PacksTotal++
		r.BytesTotal += size
		at, ok := c.memory.Read[id]
		since := time.Unix(at, 0)
		if !ok {
			since = o.stored
		}
		if !since.IsZero() && (r.Behind.IsZero() || since.Before(r.Behind)) {
			r.Behind = since.UTC()
		}
		if !ok {
			r.Unread += size
			unread = true
		}
		oldest = min(oldest, at)
	}
	if !unread && r.PacksTotal > 0 {
		r.Oldest = time.Unix(oldest, 0).UTC()
	}
	return r
}

// damageOf returns the objects of a report.
func damageOf(r app.CheckReport) map[blob.ID]bool {
	ids := map[blob.ID]bool{}
	for _, id := range r.Damaged {
		ids[blob.ID(id)] = true
	}
	return ids
}
