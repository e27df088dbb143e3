package backup

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/compression"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"
	"github.com/kopia/kopia/snapshot/upload"

	"kvart/app"
)

const (
	// checkpointEvery is how much of a first upload may be lost to a power cut.
	checkpointEvery = 2 * time.Minute
	parallelFiles   = 2
	// dumpSplitter cuts dumps finely, since they change in many small places.
	dumpSplitter = "DYNAMIC-128K-BUZHASH"
)

// capture is one request on its way through a session.
type capture struct {
	v    *Vault
	req  app.SaveRequest
	si   snapshot.SourceInfo
	prog app.Progress
	all  holdings // as they were when the session began

	tree  *tree
	man   *snapshot.Manifest
	point app.Point
	// past is the point that files were taken over from last.
	past      *pointFS
	pastPoint app.PointID

	read   atomic.Int64
	hashed atomic.Int64 // bytes that were not taken over from the last point

	mu       sync.Mutex // guards what follows
	problems []app.Problem
	err      error  // the first failure of the source
	stop     func() // cancels the upload under way
	// strange are upload errors that are not the source's.
	strange error
	ignored int // optional files that failed inside Kopia's uploader
}

func (c *capture) problem(path string, code app.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, app.Problem{Path: path, Code: code})
}

// fail ends the request for a reason that lies in its source.
func (c *capture) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = sourceFailure(err)
	}
	if c.stop != nil {
		c.stop()
	}
}

func (c *capture) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// store writes the request's data. A failure of the source is kept in c; the
// error is the storage's and ends the session.
func (c *capture) store(ctx context.Context, w repo.RepositoryWriter) error {
	var stored error // a failure of the storage, while files were stored as they came
	first := c.newEarly(ctx, w)
	t, bad, err := plant(ctx, c.req.Items, func(n *node) error {
		if n.item.Rolling {
			stored = c.storeRolling(ctx, w, n)
		} else {
			stored = first.take(n)
		}
		return cmp.Or(stored, c.failure())
	})
	stored = cmp.Or(first.end(), stored)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if stored != nil {
		return stored
	}
	if err != nil {
		c.fail(err)
		return nil
	}
	c.tree = t
	for _, b := range bad {
		if !b.item.Optional || app.CodeOf(b.err) != app.CodeItemUnreadable {
			c.fail(b.err)
			return nil
		}
		c.problem(b.item.Path, app.CodeItemUnreadable)
	}
	c.prog.Expect(t.files, t.bytes)
	if err := c.storePaged(ctx, w); err != nil || c.failure() != nil {
		return err
	}
	if err := c.upload(ctx, w); err != nil || c.failure() != nil {
		return err
	}
	c.tree.root.spread()
	return c.name()
}

// upload has Kopia store the tree.
func (c *capture) upload(ctx context.Context, w repo.RepositoryWriter) error {
	u := upload.NewUploader(c.sure(w))
	u.Progress = &progress{c: c}
	u.ParallelUploads = parallelFiles
	u.CheckpointInterval = checkpointEvery
	u.DisableIgnoreRules = true
	c.mu.Lock()
	c.stop = u.Cancel
	c.mu.Unlock()
	defer context.AfterFunc(ctx, u.Cancel)()

	prev := c.previous(c.si)
	if c.req.Far && c.req.Kind == app.PointSafety {
		prev = append(prev, c.previous(c.v.sourceInfo(c.req.Source, app.PointBackup))...)
	}
	man, err := u.Upload(ctx, c.entry(c.tree.root), c.policies(), c.si, prev...)
	c.mu.Lock()
	c.stop = nil
	strange, failed, ignored := c.strange, c.err, c.ignored
	c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case strange != nil:
		return fmt.Errorf("upload: %w", strange)
	case failed != nil:
		return nil
	case err != nil:
		return fmt.Errorf("upload: %w", err)
	}
	c.man = man
	return complete(man, ignored)
}

// previous returns the points that unchanged files are taken over from.
func (c *capture) previous(si snapshot.SourceInfo) []*snapshot.Manifest {
	if c.v.distrust[si.Path] {
		return nil
	}
	return c.all.previous(si)
}

// complete returns an error unless everything that kept man from being whole is
// explained. Kopia's Upload returns nil for a snapshot with failed entries and
// for one that was cut short.
func complete(man *snapshot.Manifest, explained int) error {
	if man.IncompleteReason != "" {
		return fmt.Errorf("the upload is incomplete: %s", man.IncompleteReason)
	}
	if man.RootEntry == nil || man.RootEntry.DirSummary == nil {
		return errors.New("the upload has no root")
	}
	sum := man.RootEntry.DirSummary
	if sum.FatalErrorCount > 0 || sum.IgnoredErrorCount != explained {
		return fmt.Errorf("%d entries failed, %d were passed over, %d of them explained", sum.FatalErrorCount, sum.IgnoredErrorCount, explained)
	}
	return nil
}

// policies tells Kopia to go on after a file that can't be read: whether the
// request goes on is for the item to say, see [capture.unreadable].
func (c *capture) policies() *policy.Tree {
	base := *policy.DefaultPolicy
	base.FilesPolicy = policy.FilesPolicy{}
	base.ErrorHandlingPolicy = policy.ErrorHandlingPolicy{
		IgnoreFileErrors: policy.NewOptionalBool(true), IgnoreDirectoryErrors: policy.NewOptionalBool(false),
		IgnoreUnknownTypes: policy.NewOptionalBool(false),
	}
	base.CompressionPolicy = policy.CompressionPolicy{CompressorName: compressor}
	base.MetadataCompressionPolicy = policy.MetadataCompressionPolicy{CompressorName: compression.Name(compressor)}
	base.UploadPolicy = policy.UploadPolicy{} // nothing in parts: items can't be opened twice
	dump := base
	dump.SplitterPolicy = policy.SplitterPolicy{Algorithm: dumpSplitter}
	defined := map[string]*policy.Policy{".": &base}
	for _, n := range c.tree.root.children {
		if n.children == nil && path.Ext(n.path) == ".sql" {
			defined["./"+n.path] = &dump
		}
	}
	return policy.BuildTree(defined, &base)
}

// name makes the upload a point, all but its sequence number.
func (c *capture) name() error {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return fmt.Errorf("draw point id: %w", err)
	}
	c.point = app.Point{
		ID: app.PointID(hex.EncodeToString(id)), Source: c.req.Source, Name: c.req.Name, Kind: c.req.Kind,
		Computer: c.v.computer.ID,
		Time:     c.req.Time.UTC().Round(0), Bytes: c.man.RootEntry.DirSummary.TotalFileSize, Files: c.man.RootEntry.DirSummary.TotalFileCount,
	}
	if c.req.Stats != nil {
		c.point.Stats = c.req.Stats()
	}
	slices.SortFunc(c.problems, func(a, b app.Problem) int { return cmp.Compare(a.Path, b.Path) })
	for _, p := range c.problems {
		if p.Code != app.CodeItemChanged {
			c.point.Incomplete++
		}
	}
	return nil
}

// progress listens to Kopia's uploader.
type progress struct {
	upload.NullUploadProgress
	c *capture
}

func (p *progress) HashedBytes(n int64) {
	p.c.hashed.Add(n)
	p.c.prog.Done(0, n)
}

func (p *progress) CachedFile(_ string, size int64) { p.c.prog.Done(0, size) }

func (p *progress) FinishedFile(name string, _ error) {
	if n := p.c.tree.find(name); n != nil && n.item.Mode.Type() == 0 && n.paged == nil && n.stored == nil {
		p.c.prog.Done(1, 0)
	}
}

// Error is the only place where an upload's errors still have their types.
func (p *progress) Error(_ string, err error, _ bool) {
	var src *sourceError
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if errors.As(err, &src) {
		p.c.ignored++
		return
	}
	if p.c.strange == nil {
		p.c.strange = err
	}
	if p.c.stop != nil {
		p.c.stop()
	}
}

// find returns the node at name, nil when there is none.
func (t *tree) find(name string) *node {
	n := t.root
	if name == "." {
		return n
	}
	for name != "" && n != nil {
		first, rest := name, ""
		for i := range len(name) {
			if name[i] == '/' {
				first, rest = name[:i], name[i+1:]
				break
			}
		}
		n, name = n.children[first], rest
	}
	return n
}
