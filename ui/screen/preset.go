package screen

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// Keys of the fields that presets know of.
const (
	presetKey   = "preset"
	regionKey   = "region"
	endpointKey = "endpoint"
	otherPreset = "other" // none of the well-known ones
)

// gaps finds what a preset leaves to other fields: "{region}".
func gaps(s string) []string {
	var out []string
	for _, g := range regexp.MustCompile(`\{\w+\}`).FindAllString(s, -1) {
		out = append(out, strings.Trim(g, "{}"))
	}
	return out
}

// fillPreset returns what a preset fills in, given what is filled in already. A
// gap for which there is nothing yet stays.
func fillPreset(p app.Preset, values map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range p.Settings {
		for _, g := range gaps(v) {
			if with := strings.TrimSpace(values[g]); with != "" {
				v = strings.ReplaceAll(v, "{"+g+"}", with)
			}
		}
		out[k] = v
	}
	return out
}

// asks returns the fields that a preset's gaps have to be filled from, but for
// the region.
func asks(p app.Preset) []string {
	var out []string
	for _, v := range p.Settings {
		for _, g := range gaps(v) {
			if g != regionKey && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	slices.Sort(out)
	return out
}

// holdsPreset reports whether values are still as the preset fills them in.
func holdsPreset(p app.Preset, values map[string]string) bool {
	for k, v := range fillPreset(p, values) {
		if strings.TrimSpace(values[k]) != v {
			return false
		}
	}
	return true
}

// presetOf returns the preset that values were filled in by: the one they name,
// or one whose address they hold.
func presetOf(k app.KindSpec, values map[string]string) *app.Preset {
	for i, p := range k.Presets {
		if p.Key == values[presetKey] {
			return &k.Presets[i]
		}
	}
	for i, p := range k.Presets {
		if p.Settings[endpointKey] != "" && holdsPreset(p, values) {
			return &k.Presets[i]
		}
	}
	return nil
}

// presetPart is the first question of a form: which well-known provider it is.
type presetPart struct {
	f       *Form
	chosen  *app.Preset // nil while none is
	other   bool        // a region that is not in the list
	shown   bool        // what is filled in can be seen and changed
	object  *fyne.Container
	below   *fyne.Container
	said    []*widgets.Text
	saidFor []string
}

func newPresetPart(f *Form) *presetPart {
	p := &presetPart{f: f, below: widgets.Column(widgets.Gap8)}
	p.chosen = presetOf(f.spec, f.values)
	words, at := []string{}, -1
	for i, preset := range f.spec.Presets {
		words = append(words, f.env.T(p.words(preset)))
		if p.chosen != nil && preset.Key == p.chosen.Key {
			at = i
		}
	}
	if p.chosen != nil {
		region := strings.TrimSpace(f.values[regionKey])
		p.other = len(p.chosen.Regions) > 0 && region != "" && !slices.Contains(p.chosen.Regions, region)
		p.shown = opened(*p.chosen) || !holdsPreset(*p.chosen, f.values)
	}
	if !slices.ContainsFunc(f.spec.Presets, func(p app.Preset) bool { return p.Key == otherPreset }) {
		if p.chosen == nil && len(f.fill.Settings) > 0 {
			at = len(words)
		}
		words = append(words, f.env.T("form.preset.other"))
	}
	s := widgets.NewSelect(words, at, p.choose)
	s.PlaceHolder = f.env.T("form.pick")
	p.object = widgets.Column(widgets.Gap8, widgets.NewText(f.env.T("form.preset"), widgets.Strong()),
		widgets.Leading(widgets.Sized(320, 0, s)), p.below)
	return p
}

// opened reports whether what a preset fills in is seen from the start, since
// the address is the owner's own.
func opened(p app.Preset) bool { return p.Settings[endpointKey] == "" }

func (p *presetPart) words(preset app.Preset) string {
	return p.f.area + "." + string(p.f.spec.Kind) + ".preset." + preset.Key
}

// choose takes the owner's provider; an index past the presets is none of
// them. What an earlier one filled in is emptied.
func (p *presetPart) choose(i int) {
	if i < 0 {
		return
	}
	if old := p.chosen; old != nil && holdsPreset(*old, p.f.values) {
		for k := range old.Settings {
			p.put(k, "")
		}
		if len(old.Regions) > 0 {
			p.put(regionKey, "")
		}
	}
	p.chosen, p.other, p.shown = nil, false, false
	if i < len(p.f.spec.Presets) {
		p.chosen = &p.f.spec.Presets[i]
		p.shown = opened(*p.chosen)
		if len(p.chosen.Regions) > 0 {
			p.put(regionKey, p.chosen.Regions[0])
		}
		p.refill()
	}
	p.f.arrange()
	p.f.change(presetKey, p.key())
}

// refill fills in what the preset knows, but never over what was typed where it
// can be typed.
func (p *presetPart) refill() {
	for k, v := range fillPreset(*p.chosen, p.f.values) {
		if !p.shown || strings.TrimSpace(p.f.values[k]) == "" {
			p.put(k, v)
		}
	}
}

// put fills in a field and shows it there.
func (p *presetPart) put(key, value string) {
	if p.f.values[key] == value {
		return
	}
	p.f.values[key] = value
	if set := p.f.set[key]; set != nil {
		set(value)
	}
}

func (p *presetPart) key() string {
	if p.chosen == nil {
		return ""
	}
	return p.chosen.Key
}

// fills reports whether a field's row is not needed, since the preset filled it
// in and says so.
func (p *presetPart) fills(key string) bool {
	if p.chosen == nil || p.shown {
		return false
	}
	if key == regionKey && len(p.chosen.Regions) > 0 {
		return !p.other
	}
	_, ok := p.chosen.Settings[key]
	return ok
}

// asks reports whether a field has to be filled in for the preset.
func (p *presetPart) asks(key string) bool {
	return p.chosen != nil && slices.Contains(asks(*p.chosen), key)
}

// complete reports whether there is an address without gaps.
func (p *presetPart) complete() bool {
	if _, ok := p.f.spec.Field(endpointKey); !ok {
		return true
	}
	v := strings.TrimSpace(p.f.values[endpointKey])
	return v != "" && len(gaps(v)) == 0
}

// follow fills in anew what depends on a field that was typed, and says what is
// filled in.
func (p *presetPart) follow(key string) {
	if p.chosen != nil && !p.shown && (key == regionKey && p.other || p.asks(key)) {
		p.refill()
	}
	p.tell()
}

// draw shows the preset's hint, its regions and what it filled in.
func (p *presetPart) draw() {
	p.below.RemoveAll()
	p.said, p.saidFor = nil, nil
	if p.chosen == nil {
		return
	}
	t := p.f.env.T
	if hint := p.words(*p.chosen) + ".hint"; p.f.env.Words.Has(hint) {
		p.below.Add(widgets.NewText(t(hint), widgets.Caption()))
	}
	if len(p.chosen.Regions) > 0 && !p.shown {
		p.below.Add(widgets.NewText(p.label(regionKey), widgets.Strong()))
		p.below.Add(widgets.Leading(widgets.Sized(320, 0, p.regions())))
	}
	for _, k := range asks(*p.chosen) {
		if row := p.f.rows[k]; row != nil {
			p.below.Add(row)
		}
	}
	if p.shown {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(p.chosen.Settings)) {
		text := widgets.NewText("", widgets.Caption())
		p.said, p.saidFor = append(p.said, text), append(p.saidFor, k)
		p.below.Add(text)
	}
	p.tell()
	p.below.Add(widgets.Leading(widgets.NewButton(t("form.preset.show"), func() {
		p.shown = true
		p.f.arrange()
	})))
}

func (p *presetPart) label(key string) string {
	return p.f.env.T(p.f.area + "." + string(p.f.spec.Kind) + ".field." + key)
}

// tell says what is filled in.
func (p *presetPart) tell() {
	for i, text := range p.said {
		v := p.f.values[p.saidFor[i]]
		for _, g := range gaps(v) {
			v = strings.ReplaceAll(v, "{"+g+"}", "…")
		}
		text.Set(p.f.env.T("form.filled", map[string]any{"Field": p.label(p.saidFor[i]), "Value": v}))
	}
}

func (p *presetPart) regions() fyne.CanvasObject {
	words := append(slices.Clone(p.chosen.Regions), p.f.env.T("form.region.other"))
	at := slices.Index(words, p.f.values[regionKey])
	if p.other {
		at = len(words) - 1
	}
	return widgets.NewSelect(words, at, func(i int) {
		if i < 0 {
			return
		}
		if p.other = i == len(p.chosen.Regions); !p.other {
			p.put(regionKey, p.chosen.Regions[i])
			p.refill()
		}
		p.f.place()
		p.f.change(presetKey, p.key())
	})
}
