package history

import (
	"cmp"
	"context"
	"errors"
	"image"
	"io"
	"path"
	"strings"
	"time"

	"kvart/app"
	"kvart/ui/history/near"
)

// pause is how long the owner may stop typing before what was typed is looked
// for.
const pause = 200 * time.Millisecond

// loadShelves asks what the point holds and opens what lies at a path, the shelf
// that was open before, or the first.
func (s *Screen) loadShelves(at string) {
	r := app.PathRequest{Source: s.st.Source, Point: s.st.Point.ID}
	var shelves []app.Shelf
	s.load(&s.pane, func(ctx context.Context) (err error) {
		shelves, err = s.env.Service.Shelves(ctx, r)
		return err
	}, func() {
		s.st.Shelves = shelves
		if at == "" {
			s.first()
		} else {
			s.openPath(at)
		}
	}, func() { s.loadShelves(at) })
}

// first shows the shelf that was open, or the first; files where there is none.
func (s *Screen) first() {
	switch _, ok := s.st.shelf(s.st.Shelf); {
	case s.st.Point == nil:
		s.st.turn(paneList)
		s.draw()
	case ok:
		s.openShelf(s.st.Shelf)
	case len(s.st.Shelves) > 0:
		s.openShelf(s.st.Shelves[0].Code)
	default:
		s.list("")
	}
}

// openPath shows what lies at a path of the point: a record, a shelf, a file, or
// a folder where it ends in a slash.
func (s *Screen) openPath(at string) {
	sh, ok := s.st.shelfOf(at)
	switch {
	case strings.HasSuffix(at, "/"):
		s.list(strings.TrimSuffix(at, "/"))
	case ok && sh.Known && at != sh.Path && len(sh.Columns) == 0:
		s.st.Shelf, s.st.From = sh.Code, cmp.Or(s.st.From, paneShelf)
		s.loadRecord(at)
	case ok:
		s.openShelf(sh.Code)
	default:
		s.st.From = cmp.Or(s.st.From, paneList)
		s.preview(at)
	}
}

// visit shows what was chosen on the left.
func (s *Screen) visit(key string) {
	switch key {
	case navFiles:
		s.list("")
	case navDiff:
		s.compare()
	case navFind:
		s.toFind()
	default:
		s.openShelf(key)
	}
}

// openShelf lists a shelf.
func (s *Screen) openShelf(code string) {
	if code != s.st.Shelf {
		s.st.Text = ""
	}
	s.pane.stopAsking()
	s.st.turn(paneShelf)
	s.st.Shelf = code
	s.askRecords()
}

func (s *Screen) askRecords() {
	s.typed++
	r := app.RecordsRequest{Source: s.st.Source, Point: s.st.Point.ID, Shelf: s.st.Shelf, Text: s.st.Text}
	s.st.Rows, s.st.Left, s.st.Begun = 0, 0, false
	s.show(&s.pane, nil, nil)
	s.records.Ask(func(ctx context.Context, offset, limit int) (near.Page[app.Record], error) {
		r := r
		r.Offset, r.Limit = offset, limit
		p, err := s.env.Service.Records(ctx, r)
		return near.Page[app.Record]{Items: p.Records, Total: p.Total, Left: p.Left}, err
	})
	s.draw()
	s.view.newRows()
}

// recordsCame draws what came of the shelf.
func (s *Screen) recordsCame() {
	if s.st.Pane != paneShelf {
		return
	}
	rows, left, begun := s.records.Len(), s.records.Left(), s.records.Begun()
	fresh := !s.st.Begun && begun
	changed := fresh || rows != s.st.Rows || left != s.st.Left
	s.st.Rows, s.st.Left, s.st.Begun = rows, left, begun
	if err := s.records.Err(); err != nil || s.st.Failed {
		s.show(&s.pane, err, func() { s.st.Failed = false; s.records.Retry(); s.draw() })
		changed = true
	}
	if changed {
		s.draw()
	}
	if fresh {
		s.view.newColumns()
	}
	s.view.refreshRows()
}

// searchFor looks on the shelf for what was typed, once the owner pauses.
func (s *Screen) searchFor(text string) {
	if text == s.st.Text || s.st.Point == nil || s.st.Pane != paneShelf {
		return
	}
	s.st.Text = text
	s.typed++
	mine := s.typed
	s.env.Go(func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		return func() {
			if mine == s.typed {
				s.askRecords()
			}
		}
	})
}

// openRow shows a record of the shelf.
func (s *Screen) openRow(i int) {
	if r, ok := s.records.Item(i); ok && r.Path != "" {
		s.st.From = paneShelf
		s.loadRecord(r.Path)
	}
}

// loadRecord shows a record then and now, or then and in the other point.
func (s *Screen) loadRecord(at string) {
	r := app.RecordRequest{Source: s.st.Source, Point: s.st.Point.ID, Path: at, With: cmp.Or(s.st.With, app.Live)}
	from := s.st.From
	diff, group := s.st.Diff, s.st.Group
	s.st.turn(paneRecord)
	s.st.Record, s.st.From = at, from
	if from == paneDiff {
		s.st.Diff, s.st.Group = diff, group
	}
	var v app.RecordView
	s.load(&s.pane, func(ctx context.Context) (err error) {
		v, err = s.env.Service.Record(ctx, r)
		return err
	}, func() { s.st.View = &v }, func() { s.loadRecord(at) })
}

// allFields shows the fields far down, too.
func (s *Screen) allFields() {
	s.st.All = true
	s.draw()
}

// list shows a folder of the point.
func (s *Screen) list(dir string) {
	r := app.PathRequest{Source: s.st.Source, Point: s.st.Point.ID, Path: dir}
	s.st.turn(paneList)
	s.st.Path = dir
	var entries []app.Entry
	s.load(&s.pane, func(ctx context.Context) (err error) {
		entries, err = s.env.Service.List(ctx, r)
		return err
	}, func() { s.st.Entries = entries }, func() { s.list(dir) })
}

// openFile goes into a folder or previews a file.
func (s *Screen) openFile(i int) {
	switch {
	case i >= len(s.st.Entries):
	case s.st.Entries[i].Dir:
		s.list(s.st.Entries[i].Path)
	default:
		s.st.From = paneList
		s.preview(s.st.Entries[i].Path)
	}
}

func (s *Screen) preview(file string) {
	r := app.PathRequest{Source: s.st.Source, Point: s.st.Point.ID, Path: file}
	from, diff, group := s.st.From, s.st.Diff, s.st.Group
	s.st.turn(panePreview)
	s.st.Path, s.st.From = file, from
	if from == paneDiff {
		s.st.Diff, s.st.Group = diff, group
	}
	var head []byte
	var shown image.Image
	s.load(&s.pane, func(ctx context.Context) (err error) {
		if isPicture(file) {
			if p, err := readPicture(ctx, s.env.Service, r, previewWide, previewHigh); err == nil {
				shown = p
				return nil
			}
		}
		head, err = s.head(ctx, r)
		return err
	}, func() { s.st.Preview, s.st.Picture = head, shown }, func() { s.preview(file) })
}

// head reads the beginning of a file.
func (s *Screen) head(ctx context.Context, r app.PathRequest) ([]byte, error) {
	f, err := s.env.Service.Cat(ctx, r)
	if err != nil {
		return nil, err
	}
	head, err := io.ReadAll(io.LimitReader(f, previewBytes))
	return head, errors.Join(err, f.Close())
}

// up goes to what the pane was opened from, or to the folder above.
func (s *Screen) up() {
	if s.st.Pane == paneRecord || s.st.Pane == panePreview {
		switch s.st.From {
		case paneShelf:
			s.openShelf(s.st.Shelf)
			return
		case paneDiff:
			s.pane.stopAsking()
			s.st.Pane, s.st.Record, s.st.View, s.st.Path, s.st.Failed, s.st.Stopped = paneDiff, "", nil, "", false, false
			s.show(&s.pane, nil, nil)
			s.draw()
			return
		case paneFind:
			s.backToFind()
			return
		}
	}
	dir := path.Dir(s.st.Path)
	if dir == "." || dir == "/" {
		dir = ""
	}
	s.list(dir)
}
