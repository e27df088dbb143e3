package setup

import (
	"maps"
	"slices"

	"kvart/app"
	"kvart/ui/screen"
)

// discovered takes in what was found, keeping what the owner ticked or filled in
// before.
func (f *Flow) discovered(found []app.Found) {
	var picks []pick
	var was []int // where each was before, -1 for new ones
	for _, n := range found {
		p, before := f.foundAs(n)
		picks, was = append(picks, p), append(was, before)
	}
	for i, old := range f.picks {
		asked := f.page == pageAsk && i == f.asked
		if !slices.Contains(was, i) && (old.Own || old.touched() || old.Tried && old.On || asked) {
			picks, was = append(picks, old), append(was, i)
		}
	}
	if at := slices.Index(was, f.asked); at >= 0 {
		f.asked = at
	}
	f.picks = picks
}

// foundAs returns the pick that something found is, and where it was before; -1
// for a new one.
func (f *Flow) foundAs(n app.Found) (pick, int) {
	for i, old := range f.picks {
		if !old.Own && old.Kind == n.Kind && maps.Equal(old.Found.Settings, n.Settings) {
			old.Found = n
			return old, i
		}
	}
	p := pick{Found: n, On: n.Likely}
	if k, ok := f.spec(n.Kind); ok {
		p.Asks = screen.Asks(k, n.Settings)
	}
	return f.numbered(p), -1
}

// touched reports whether the owner filled something in.
func (p pick) touched() bool { return p.Answered || len(p.Typed) > 0 || len(p.Held) > 0 }

// typed takes what is filled in so far about the pick that is asked about. An
// answer that was given before no longer holds once something else is filled in.
func (f *Flow) typed(settings map[string]string, secrets app.Secrets) {
	if f.page != pageAsk || f.asked >= len(f.picks) {
		return
	}
	p := &f.picks[f.asked]
	if p.Answered && maps.Equal(settings, p.Settings) && maps.Equal(secrets, p.Secrets) {
		p.Typed, p.Held = nil, nil
		return
	}
	p.Typed, p.Held, p.Answered = settings, secrets, false
}

// filling returns what the form of a pick begins with.
func (p pick) filling() screen.Filling {
	switch {
	case p.Typed != nil:
		return screen.Filling{Settings: p.Typed, Secrets: p.Held}
	case p.Answered:
		return screen.Filling{Settings: p.Settings, Secrets: p.Secrets}
	}
	return screen.Filling{Settings: p.Found.Settings}
}

// add adds a source the owner chose; one that is there already is ticked.
func (f *Flow) add(kind app.Kind, name string, settings map[string]string) {
	for i, p := range f.picks {
		if p.Kind == kind && maps.Equal(p.Found.Settings, settings) {
			f.picks[i].On = true
			return
		}
	}
	f.picks = append(f.picks, f.numbered(pick{Found: app.Found{Kind: kind, Name: name, Settings: settings, Bytes: -1}, On: true, Own: true}))
}

// describe begins a source of which the owner has to tell everything.
func (f *Flow) describe(k app.KindSpec, name string) {
	f.picks = append(f.picks, f.numbered(pick{Found: app.Found{Kind: k.Kind, Name: name, Bytes: -1}, On: true, Own: true, Asks: true}))
	f.asked, f.page = len(f.picks)-1, pageAsk
}

func (f *Flow) ticked() []pick {
	var out []pick
	for _, p := range f.picks {
		if p.On {
			out = append(out, p)
		}
	}
	return out
}
