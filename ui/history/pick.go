package history

import (
	"maps"
	"slices"

	"kvart/app"
	"kvart/ui/screen"
)

// tick chooses a path for what is done with several, or lets it go.
func (s *Screen) tick(path, title string) {
	if path == "" {
		return
	}
	if _, on := s.st.Chosen[path]; on {
		delete(s.st.Chosen, path)
	} else {
		s.st.Chosen[path] = title
	}
	s.draw()
	s.view.refreshRows()
}

func (s *Screen) tickRow(i int) {
	if r, ok := s.records.Item(i); ok {
		s.tick(r.Path, r.Title)
	}
}

func (s *Screen) tickFile(i int) {
	if i < len(s.st.Entries) {
		s.tick(s.st.Entries[i].Path, s.st.Entries[i].Path)
	}
}

func (s *Screen) tickChange(i int) {
	if changes := s.view.vm.Changes; i < len(changes) && canRestore(changes[i]) {
		s.tick(changes[i].Path, changes[i].Path)
	}
}

// canRestore reports whether the point has what a change is about.
func canRestore(c app.Change) bool { return c.Kind != app.ChangeAdded }

// untick lets everything go that was ticked.
func (s *Screen) untick() {
	s.st.Chosen = map[string]string{}
	s.draw()
	s.view.refreshRows()
}

// place is where a restore of what is chosen begins.
func (s *Screen) place() screen.Place {
	p := screen.Place{Screen: screen.Recover, Source: s.st.Source, Point: s.st.Point.ID}
	switch c := s.st.chosenPath(); {
	case len(s.st.Chosen) > 0 && s.st.Pane != paneRecord:
		p.Paths = slices.Sorted(maps.Keys(s.st.Chosen))
	case c != "":
		p.Paths = []string{c}
	}
	return p
}

func (s *Screen) restore() {
	if s.st.Point != nil {
		s.env.Show(s.place())
	}
}

func (s *Screen) restorePaths(paths []string) {
	p := s.place()
	p.Paths = paths
	s.env.Show(p)
}

// saveCopy restores what is chosen into a folder.
func (s *Screen) saveCopy() {
	place := s.place()
	s.env.ChooseFolder(func(dir string) {
		place.Export = dir
		s.env.Show(place)
	})
}
