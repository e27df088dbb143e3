package agent

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSettings_shape: what was added to the settings under a form that an
// earlier program takes for its own is lost when that program writes them. So
// each form has its shape on file, and another shape needs another form.
func TestSettings_shape(t *testing.T) {
	t.Parallel()
	file := fmt.Sprintf("testdata/settings-shape-%d.txt", documentForm)
	now := strings.Join(shapeOf(reflect.TypeFor[Document](), "settings", nil), "\n") + "\n"
	was, err := os.ReadFile(file)
	switch {
	case err != nil:
		t.Errorf("form %d has no shape on file: %v\nWrite %s with:\n%s", documentForm, err, file, now)
	case string(was) != now:
		t.Errorf("the settings have another shape than form %d had. Raise documentForm, keep %s as it is, and write the next with:\n%s\nIt differs in:\n%s", documentForm, file, now, differing(string(was), now))
	}
}

// TestShapeOf: whatever about a field changes what is written, or how it is read,
// changes the shape.
func TestShapeOf(t *testing.T) {
	t.Parallel()
	type inner struct {
		At time.Time `json:"at"`
	}
	shape := func(t reflect.Type) string { return strings.Join(shapeOf(t, "x", nil), "\n") }
	type was struct {
		Name  string           `json:"name"`
		Inner []inner          `json:"inner,omitempty"`
		ByKey map[string]inner `json:"byKey"`
		Own   int              `json:"-"`
	}
	first := shape(reflect.TypeFor[was]())
	if strings.Contains(first, "Own") || !strings.Contains(first, "x.inner,omitempty[].at") {
		t.Errorf("shape\n%s", first)
	}
	for what, other := range map[string]reflect.Type{
		"a field more": reflect.TypeFor[struct {
			Name  string           `json:"name"`
			Inner []inner          `json:"inner,omitempty"`
			ByKey map[string]inner `json:"byKey"`
			More  bool             `json:"more"`
		}](),
		"another name": reflect.TypeFor[struct {
			Name  string           `json:"called"`
			Inner []inner          `json:"inner,omitempty"`
			ByKey map[string]inner `json:"byKey"`
		}](),
		"another type": reflect.TypeFor[struct {
			Name  int              `json:"name"`
			Inner []inner          `json:"inner,omitempty"`
			ByKey map[string]inner `json:"byKey"`
		}](),
		"left out when empty": reflect.TypeFor[struct {
			Name  string           `json:"name,omitempty"`
			Inner []inner          `json:"inner,omitempty"`
			ByKey map[string]inner `json:"byKey"`
		}](),
		"a field more within": reflect.TypeFor[struct {
			Name  string  `json:"name"`
			Inner []inner `json:"inner,omitempty"`
			ByKey map[string]struct {
				At   time.Time `json:"at"`
				More int       `json:"more"`
			} `json:"byKey"`
		}](),
	} {
		if shape(other) == first {
			t.Errorf("%s is the same shape", what)
		}
	}
}

// shapeOf lists every value that a type's JSON can hold: its path, its type and
// how it is written.
func shapeOf(t reflect.Type, at string, above []reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t, at = t.Elem(), at+"?"
	}
	if slices.Contains(above, t) {
		return []string{at + " again"}
	}
	above = append(slices.Clone(above), t)
	switch {
	case t == reflect.TypeFor[time.Time]():
		return []string{at + " time"}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return shapeOf(t.Elem(), at+"[]", above)
	case t.Kind() == reflect.Map:
		return shapeOf(t.Elem(), at+"{"+t.Key().Kind().String()+"}", above)
	case t.Kind() != reflect.Struct:
		return []string{at + " " + t.Kind().String()}
	}
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _ := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && name == "":
			out = append(out, shapeOf(f.Type, at, above)...)
			continue
		case name == "":
			name = f.Name
		}
		if options != "" {
			name += "," + options
		}
		out = append(out, shapeOf(f.Type, at+"."+name, above)...)
	}
	return out
}

// differing returns the lines that only one of two texts has.
func differing(was, now string) string {
	a, b := strings.Split(was, "\n"), strings.Split(now, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}
