package backup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot/snapshotfs"

	"kvart/app"
	"kvart/backup/storage"
)

// verifyWindow is how many bytes are brought near at a time for reading.
const verifyWindow = 256 << 20

// Verify implements [app.Vault].
func (v *Vault) Verify(ctx context.Context, r app.VerifyRequest, p app.Progress) (app.VerifyReport, error) {
	ctx = withLog(ctx, v.log)
	if p == nil {
		p = noProgress{}
	}
	end, err := v.begin(ctx)
	if err != nil {
		return app.VerifyReport{}, err
	}
	defer end()
	rep, err := v.verify(ctx, r, p)
	if err != nil {
		return app.VerifyReport{}, v.failed(ctx, "verify", err)
	}
	return rep, nil
}

func (v *Vault) verify(ctx context.Context, r app.VerifyRequest, p app.Progress) (app.VerifyReport, error) {
	points, err := v.chosen(ctx, r.Points)
	if err != nil {
		return app.VerifyReport{}, err
	}
	c := &verification{
		v: v, rep: v.rep, percent: r.Percent, prog: p, report: app.VerifyReport{Damaged: []app.Problem{}},
		files: map[object.ID]bool{}, dirs: map[object.ID]*dirState{}, contents: map[content.ID]contentState{}, packs: map[blob.ID]int64{},
	}
	if v.loc.Remote && r.Percent > 0 {
		// Only an empty cache proves what the storage holds now.
		near, err := v.openNearby(ctx, verifyWindow)
		if err != nil {
			return app.VerifyReport{}, err
		}
		c.rep, c.near = near.rep, true
		defer func() {
			if err := near.close(context.WithoutCancel(ctx)); err != nil {
				v.log.WarnContext(ctx, "Connection not closed", "err", err)
			}
		}()
	}
	err = v.loc.Base.ListBlobs(ctx, content.PackBlobIDPrefixRegular, c.pack)
	if err == nil {
		err = v.loc.Base.ListBlobs(ctx, content.PackBlobIDPrefixSpecial, c.pack)
	}
	if err != nil {
		return app.VerifyReport{}, fmt.Errorf("list packs: %w", err)
	}
	for _, h := range points {
		p.Expect(h.point.Files, 0)
	}
	for _, h := range points {
		if err := c.point(ctx, h); err != nil {
			return app.VerifyReport{}, err
		}
	}
	// A disk pulled in mid-course looks like damage everywhere.
	if len(c.report.Damaged) > 0 {
		if err := v.loc.Present(ctx); err != nil {
			return app.VerifyReport{}, err
		}
	}
	return c.report, nil
}

// chosen returns the points to verify.
func (v *Vault) chosen(ctx context.Context, ids []app.PointID) ([]held, error) {
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return all.points, nil
	}
	var points []held
	for _, id := range ids {
		i := slices.IndexFunc(all.points, func(h held) bool { return h.point.ID == id })
		if i < 0 {
			return nil, app.Errorf(app.CodePointUnknown, "verify", "no point %q", id).With("point", string(id))
		}
		points = append(points, all.points[i])
	}
	return points, nil
}

type contentState byte

const (
	contentUnknown contentState = iota
	contentThere
	contentRead
	contentBad
)

// dirState is what is known of a folder that several points share.
type dirState struct {
	damaged []string // relative paths
}

// verification is one run of Verify.
type verification struct {
	v       *Vault
	rep     repo.DirectRepository
	near    bool
	percent float64
	prog    app.Progress
	report  app.VerifyReport

	packs    map[blob.ID]int64 // length
	contents map[content.ID]contentState
	files    map[object.ID]bool // damaged?
	dirs     map[object.ID]*dirState
}

func (c *verification) pack(m blob.Metadata) error {
	c.packs[m.BlobID] = m.Length
	return nil
}

func (c *verification) point(ctx context.Context, h held) error {
	c.report.Points++
	root, err := snapshotfs.SnapshotRoot(c.rep, h.man)
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	st, err := c.dir(ctx, root)
	if err != nil {
		return err
	}
	c.prog.Done(h.point.Files, 0)
	if len(st.damaged) == 0 {
		return nil
	}
	c.report.DamagedPoints = append(c.report.DamagedPoints, h.point.ID)
	for _, name := range st.damaged {
		problem := app.Problem{Path: name, Code: app.CodeItemUnreadable}
		if !slices.Contains(c.report.Damaged, problem) {
			c.report.Damaged = append(c.report.Damaged, problem)
		}
	}
	return nil
}

// dir verifies a folder once.
func (c *verification) dir(ctx context.Context, e kfs.Entry) (*dirState, error) {
	id := objectOf(e)
	if st := c.dirs[id]; st != nil {
		return st, nil
	}
	st := &dirState{}
	c.dirs[id] = st
	d, ok := e.(kfs.Directory)
	if !ok {
		return nil, fmt.Errorf("%s is no folder", e.Name())
	}
	// Listings are always read in full: without one, nothing below is found.
	bad, err := c.object(ctx, id, true)
	if err != nil {
		return nil, err
	}
	entries, err := kfs.GetAllEntries(ctx, d)
	if bad || err != nil {
		if err := c.fatal(ctx, err); err != nil {
			return nil, err
		}
		st.damaged = append(st.damaged, ".")
		return st, nil
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		damaged, err := c.child(ctx, e)
		if err != nil {
			return nil, err
		}
		for _, name := range damaged {
			st.damaged = append(st.damaged, path.Join(e.Name(), name))
		}
	}
	slices.Sort(st.damaged)
	return st, nil
}

// child verifies an entry of a folder and returns what is damaged at or below
// it, "." meaning itself.
func (c *verification) child(ctx context.Context, e kfs.Entry) ([]string, error) {
	if e.IsDir() {
		st, err := c.dir(ctx, e)
		if err != nil {
			return nil, err
		}
		return st.damaged, nil
	}
	id := objectOf(e)
	bad, seen := c.files[id]
	if !seen {
		var err error
		if bad, err = c.object(ctx, id, rand.Float64()*100 < c.percent); err != nil { //nolint:gosec // a sample
			return nil, err
		}
		c.files[id] = bad
		c.report.Files++
	}
	if bad {
		return []string{"."}, nil
	}
	return nil, nil
}

// fatal returns err if it is not damage: a storage that went away.
func (c *verification) fatal(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !storage.IsDamage(err) {
		return err
	}
	return nil
}

// object reports whether an object is damaged: whether all packs it lies in
// are there and, if asked to read, whether all of it is as it was written.
func (c *verification) object(ctx context.Context, id object.ID, read bool) (damaged bool, err error) {
	contents, err := c.rep.VerifyObject(ctx, id)
	if err != nil {
		return true, c.fatal(ctx, err)
	}
	var (
		todo []content.Info
		size int64
	)
	for _, cid := range contents {
		state := c.contents[cid]
		if state == contentUnknown || read && state == contentThere {
			info, err := c.rep.ContentInfo(ctx, cid)
			if err != nil {
				return true, c.fatal(ctx, err)
			}
			if state == contentUnknown {
				state = c.there(info)
				c.contents[cid] = state
			}
			// One that is marked as deleted was forgotten as lost, or is about
			// to be wanted again: only reading tells.
			if (read || info.Deleted) && state == contentThere {
				todo = append(todo, info)
				size += int64(info.PackedLength)
			}
		}
		damaged = damaged || state == contentBad
		if size > verifyWindow/2 {
			bad, err := c.read(ctx, todo)
			if err != nil {
				return true, err
			}
			damaged, todo, size = damaged || bad, nil, 0
		}
	}
	bad, err := c.read(ctx, todo)
	return damaged || bad, err
}

func (c *verification) there(info content.Info) contentState {
	length, ok := c.packs[info.PackBlobID]
	if !ok || length < int64(info.PackOffset)+int64(info.PackedLength) {
		return contentBad
	}
	return contentThere
}

// read reads contents in full, each once. Decrypting proves that they are as
// they were written.
func (c *verification) read(ctx context.Context, infos []content.Info) (damaged bool, err error) {
	if c.near && len(infos) > 1 {
		need := newPackNeeds()
		for _, info := range infos {
			need.add(info)
		}
		if err := need.fetch(ctx, c.rep); err != nil {
			return false, err
		}
	}
	for _, info := range infos {
		if c.contents[info.ContentID] == contentRead {
			continue
		}
		b, err := c.rep.ContentReader().GetContent(ctx, info.ContentID)
		if err != nil {
			if err := c.fatal(ctx, err); err != nil {
				return false, fmt.Errorf("read content: %w", err)
			}
			c.contents[info.ContentID] = contentBad
			damaged = true
			continue
		}
		c.contents[info.ContentID] = contentRead
		c.report.Bytes += int64(len(b))
		c.prog.Done(0, int64(len(b)))
	}
	return damaged, nil
}
