package backup

import (
	"context"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot/snapshotfs"

	"kvart/app"
)

// takeOver stores a rolling file by naming what an earlier point holds of it,
// without reading it: when its source says, by size and time, that it is the
// version in that point. The point must be the verified one that the segments
// are remembered of, and every segment must still be there; of a source that
// is distrusted nothing is remembered. A file whose size is not known before
// it is read, or without a time, is read.
func (c *capture) takeOver(ctx context.Context, n *node, old *memory) bool {
	if old.point == "" || n.item.Size < 0 || n.item.Size != old.size || !hasTime(n.item) {
		return false
	}
	for _, id := range old.objects {
		if id == object.EmptyID {
			return false
		}
	}
	e, err := c.earlier(ctx, old.point, n.path)
	if err != nil || e == nil || e.Size() != n.item.Size || !e.ModTime().Equal(n.item.ModTime) {
		return false
	}
	id := objectOf(e)
	if id == object.EmptyID {
		return false
	}
	if _, err := c.v.rep.VerifyObject(ctx, id); err != nil {
		return false
	}
	n.paged = &pagedResult{object: id, size: old.size, memory: old}
	c.prog.Done(1, old.size)
	return true
}

// earlier returns a file of an earlier point, nil when there is none.
func (c *capture) earlier(ctx context.Context, point app.PointID, name string) (kfs.Entry, error) {
	if c.past == nil || c.pastPoint != point {
		for _, h := range c.all.points {
			if h.point.ID != point || h.man.Source != c.si {
				continue
			}
			e, err := snapshotfs.SnapshotRoot(c.v.rep, h.man)
			if err != nil {
				return nil, err
			}
			root, ok := e.(kfs.Directory)
			if !ok {
				return nil, nil
			}
			c.past, c.pastPoint = &pointFS{v: c.v, man: h.man, ctx: ctx, root: root, dirs: map[string]kfs.Directory{".": root}}, point
		}
	}
	if c.past == nil || c.pastPoint != point {
		return nil, nil
	}
	return c.past.entry(name)
}
