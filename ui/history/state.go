package history

import (
	"image"
	"strings"
	"time"

	"kvart/app"
)

// previewBytes is how much of a file is shown.
const previewBytes = 64 << 10

// pane is what the right side shows.
type pane string

const (
	paneShelf   pane = "shelf"
	paneRecord  pane = "record"
	paneList    pane = "list" // of files
	panePreview pane = "preview"
	paneDiff    pane = "diff"
	paneFind    pane = "find" // in all points
)

// groups of a comparison that are no shelf.
const (
	groupTables = "/tables"
	groupFiles  = "/files"
)

// state is what is looked at.
type state struct {
	Sources  []string
	Source   string
	Some     bool // the source has a backup
	Day      time.Time
	Quarters []app.Quarter
	Points   []app.Point   // of the day, newest first, with those saved before restores
	Unusual  []app.Unusual // of the source
	Month    *month        // nil while the calendar is folded in
	Point    *app.Point    // the one chosen
	Shelves  []app.Shelf
	Pane     pane
	From     pane // where a record or a file was opened from

	Shelf   string // the one open
	Text    string // looked for on it
	Rows    int    // of it that match, as far as is known
	Left    int64  // of it that are yet to be read
	Begun   bool   // the shelf has answered
	Chosen  map[string]string
	Path    string // folder looked at, or file previewed
	Entries []app.Entry
	Preview []byte
	Picture image.Image // previewed in place of text

	Record string // its path
	View   *app.RecordView
	All    bool // also the fields far down

	With     app.PointID // what is compared with
	WithTime time.Time   // of that point
	Picking  bool        // the next point chosen is what is compared with
	Diff     *comparison
	Group    string // of changes that is listed

	Asked string // looked for in all points
	Found *app.SearchResult

	Busy    bool
	Slow    bool // it takes long
	Stopped bool // by the owner
	Failed  bool

	Saving bool
	Saved  int64 // bytes written
	File   string
}

// month is what a calendar shows.
type month struct {
	First time.Time
	Marks map[int]dayMark // by day of the month
	Busy  bool
}

// dayMark says what a day held, worst last.
type dayMark string

const (
	dayNone    dayMark = ""
	daySaved   dayMark = "saved"
	dayFailed  dayMark = "failed"
	dayUnusual dayMark = "unusual"
)

// leave forgets what belongs to a point.
func (s *state) leave() {
	s.Point, s.Shelves, s.Pane, s.From = nil, nil, paneList, ""
	s.Shelf, s.Text, s.Rows, s.Left, s.Begun = "", "", 0, 0, false
	s.Chosen = map[string]string{}
	s.turn(paneList)
	s.Found, s.Asked = nil, ""
	s.With, s.Picking = app.Live, false
}

// turn goes to another pane and forgets what the last one showed.
func (s *state) turn(p pane) {
	s.Pane, s.Path, s.Entries, s.Preview, s.Picture = p, "", nil, nil, nil
	s.Record, s.View, s.All, s.Diff, s.Group = "", nil, false, nil, ""
	s.Stopped, s.Failed, s.File = false, false, ""
}

// shelf returns a shelf by its code.
func (s *state) shelf(code string) (app.Shelf, bool) {
	for _, sh := range s.Shelves {
		if sh.Code == code {
			return sh, true
		}
	}
	return app.Shelf{}, false
}

// shelfOf returns the shelf that a path of the point belongs to.
func (s *state) shelfOf(path string) (best app.Shelf, ok bool) {
	for _, sh := range s.Shelves {
		mine := sh.Path != "" && (path == sh.Path || strings.HasPrefix(path, sh.Path+"/")) || path == sh.Code
		if mine && (!ok || len(sh.Path) > len(best.Path)) {
			best, ok = sh, true
		}
	}
	return best, ok
}

// groupOf returns what group of changes a path belongs to.
func (s *state) groupOf(path string) string {
	sh, ok := s.shelfOf(path)
	switch {
	case !ok:
		return groupFiles
	case len(sh.Columns) > 0 || !sh.Known:
		return groupTables
	}
	return sh.Code
}

// chosenPath is what would be restored where nothing is ticked, "" for
// everything.
func (s *state) chosenPath() string {
	switch s.Pane {
	case paneRecord:
		return s.Record
	case paneShelf:
		sh, _ := s.shelf(s.Shelf)
		return sh.Path
	case paneList, panePreview:
		return s.Path
	}
	return ""
}

// comparison is how two states differ, sorted once: there may be very many
// changes.
type comparison struct {
	groups []group
}

// group is one sort of things in a comparison.
type group struct {
	code    string
	changes []app.Change
	paths   map[app.ChangeKind][]string
}

// compared sorts changes by what they are about, in the order of the shelves.
func (s *state) compared(changes []app.Change) *comparison {
	by := map[string]*group{}
	for _, c := range changes {
		code := s.groupOf(c.Path)
		g := by[code]
		if g == nil {
			g = &group{code: code, paths: map[app.ChangeKind][]string{}}
			by[code] = g
		}
		g.changes = append(g.changes, c)
		g.paths[c.Kind] = append(g.paths[c.Kind], c.Path)
	}
	out := &comparison{}
	codes := make([]string, 0, len(s.Shelves)+2)
	for _, sh := range s.Shelves {
		codes = append(codes, sh.Code)
	}
	for _, code := range append(codes, groupTables, groupFiles) {
		if g := by[code]; g != nil {
			out.groups = append(out.groups, *g)
			delete(by, code)
		}
	}
	return out
}

// group returns the one that is looked at.
func (s *state) group() group {
	if s.Diff != nil {
		for _, g := range s.Diff.groups {
			if g.code == s.Group {
				return g
			}
		}
	}
	return group{}
}

func startOfDay(t time.Time) time.Time {
	t = t.Local()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.Local)
}

func startOfMonth(t time.Time) time.Time {
	t = t.Local()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.Local)
}

// pointsOf returns the points of a local day.
func pointsOf(points []app.Point, day time.Time) []app.Point {
	from := startOfDay(day)
	to := from.AddDate(0, 0, 1)
	var out []app.Point
	for _, p := range points {
		if !p.Time.Before(from) && p.Time.Before(to) {
			out = append(out, p)
		}
	}
	return out
}

// pointAt returns the newest backup that existed at the end of a quarter.
func pointAt(points []app.Point, quarter time.Time) (app.Point, bool) {
	end := quarter.Add(app.QuarterLength)
	var best app.Point
	found := false
	for _, p := range points {
		if p.Kind != app.PointSafety && p.Time.Before(end) && (!found || p.Seq > best.Seq) {
			best, found = p, true
		}
	}
	return best, found
}
