package shopify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed access_2026-07.txt.gz
var accessTable []byte

// right is what a type or a field needs: one of the scopes, "" for none.
type right struct {
	any       []string
	protected bool
}

func loadRights() (map[string]right, error) {
	z, err := gzip.NewReader(bytes.NewReader(accessTable))
	if err != nil {
		return nil, fmt.Errorf("read access table: %w", err)
	}
	out := map[string]right{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		part := strings.Split(lines.Text(), "\t")
		r := right{protected: len(part) > 2}
		if part[1] != "" {
			r.any = strings.Split(part[1], "|")
		}
		out[part[0]] = r
	}
	return out, lines.Err()
}

// Required returns the scopes of which one is needed for a type, or for a field
// written "Type.field"; none for what everybody may see.
func (s *Shop) Required(name string) []string { return s.access[name].any }

// Needs lists, for every type and field that an operation asks for and that
// needs a scope, those of which one will do. The operation must have been
// checked against the schema.
func (s *Shop) Needs(doc *ast.QueryDocument) map[string][]string {
	out := map[string][]string{}
	for _, op := range doc.Operations {
		s.needs(op.SelectionSet, out)
	}
	return out
}

func (s *Shop) needs(set ast.SelectionSet, out map[string][]string) {
	for _, sel := range set {
		switch x := sel.(type) {
		case *ast.Field:
			if x.ObjectDefinition != nil {
				if one := s.access[x.ObjectDefinition.Name+"."+x.Name].any; len(one) > 0 {
					out[x.ObjectDefinition.Name+"."+x.Name] = one
				}
			}
			// Any of several types may be meant: what they need is asked of
			// the fragments.
			if x.Definition != nil {
				if one := s.access[x.Definition.Type.Name()].any; len(one) > 0 && len(x.SelectionSet) > 0 {
					out[x.Definition.Type.Name()] = one
				}
			}
			s.needs(x.SelectionSet, out)
		case *ast.InlineFragment:
			s.needs(x.SelectionSet, out)
		}
	}
}

// owns reports whether the key has one of the scopes. Writing includes reading.
func (s *Shop) owns(one []string) bool {
	for _, sc := range one {
		if s.scopes[sc] || strings.HasPrefix(sc, "read_") && s.scopes["write_"+strings.TrimPrefix(sc, "read_")] {
			return true
		}
	}
	return len(one) == 0
}
