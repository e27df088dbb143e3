package shopify

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// files are the operations, one a file, named like the kind they read.
//
//go:embed queries/*.graphql
var files embed.FS

// library is every operation, by the name of its file.
type library map[string]document

// operations is the library, read once: it is never changed.
var operations = sync.OnceValues(loadLibrary)

// loadLibrary reads the operations. An error is a defect of this package's own.
func loadLibrary() (library, error) {
	shared := map[string][]*selection{}
	text, err := files.ReadFile("queries/fragments.graphql")
	if err != nil {
		return nil, err
	}
	if err := (&parser{text: string(text), shared: shared}).fragments(); err != nil {
		return nil, fmt.Errorf("read fragments: %w", err)
	}
	entries, err := files.ReadDir("queries")
	if err != nil {
		return nil, err
	}
	l := library{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".graphql")
		if name == "fragments" {
			continue
		}
		text, err := files.ReadFile(path.Join("queries", e.Name()))
		if err != nil {
			return nil, err
		}
		if l[name], err = (&parser{text: string(text), shared: shared}).operation(); err != nil {
			return nil, fmt.Errorf("read operation %s: %w", name, err)
		}
	}
	return l, nil
}

// byID is the operation that reads records of one type by their ids: what list
// asks of each element.
func byID(list document, typ string) document {
	nodes := list.root[0].nodes()
	return document{
		kind: "query", name: list.name + "ByID", vars: map[string]string{"ids": "[ID!]!"},
		root: []*selection{{name: "nodes", args: "ids: $ids", sel: []*selection{
			{name: "__typename"}, {name: "id"}, {on: typ, sel: nodes.sel},
		}}},
	}
}

// slim is list with nothing asked of the elements of some connections but what
// they are.
func slim(list document, apart map[string]string) document {
	if len(apart) == 0 {
		return list
	}
	root := *list.root[0]
	root.sel = slices.Clone(root.sel)
	for i, part := range root.sel {
		if part.name != "nodes" {
			continue
		}
		nodes := *part
		nodes.sel = slices.Clone(part.sel)
		for j, f := range nodes.sel {
			if apart[f.name] == "" {
				continue
			}
			thin := *f
			thin.sel = []*selection{{name: "nodes", sel: []*selection{{name: "__typename"}, {name: "id"}}}, pageInfo()}
			nodes.sel[j] = &thin
		}
		root.sel[i] = &nodes
	}
	return document{kind: list.kind, name: list.name, vars: list.vars, root: []*selection{&root}}
}

// elementsByID is the operation that reads elements of a connection in list by
// their ids.
func elementsByID(list document, field, typ string) document {
	for _, f := range fields(list.root[0].nodes().sel) {
		if f.name == field {
			part := list
			part.root = []*selection{f}
			part.name = list.name + typ
			return byID(part, typ)
		}
	}
	return document{}
}

// idsOnly is list with nothing asked but the id and the time of the last
// change, where there is one.
func idsOnly(list document) document {
	root := *list.root[0]
	slim := &selection{name: "nodes"}
	for _, f := range root.nodes().sel {
		if f.name == "id" || f.name == "updatedAt" {
			slim.sel = append(slim.sel, f)
		}
	}
	root.sel = []*selection{slim, pageInfo()}
	return document{kind: list.kind, name: list.name + "IDs", vars: list.vars, root: []*selection{&root}}
}

func pageInfo() *selection {
	return &selection{name: "pageInfo", sel: []*selection{{name: "hasNextPage"}, {name: "endCursor"}}}
}

// nextPage is the operation that reads on in a connection that lies along path
// below an object of the given type.
func nextPage(base string, along []*selection) document {
	last := *along[len(along)-1]
	last.args = withArgument(withArgument(last.args, "first", "100"), "after", "$after")
	inner := &last
	for i := len(along) - 2; i >= 0; i-- {
		step := *along[i]
		step.sel = []*selection{{name: "__typename"}, inner}
		if step.name == "" {
			step.sel = []*selection{inner}
		}
		inner = &step
	}
	return document{
		kind: "query", name: "More" + strings.ToUpper(last.name[:1]) + last.name[1:] + "Of" + base,
		vars: map[string]string{"id": "ID!", "after": "String"},
		root: []*selection{{name: "node", args: "id: $id", sel: []*selection{
			{name: "__typename"}, {on: base, sel: []*selection{inner}},
		}}},
	}
}

// withArgument replaces one argument, or adds it.
func withArgument(args, name, value string) string {
	kept := withoutArguments(args, name)
	if kept != "" {
		kept += " "
	}
	return kept + name + ": " + value
}

// withoutArguments drops arguments by name.
func withoutArguments(args string, names ...string) string {
	for _, n := range names {
		fields := strings.Fields(args)
		for i := range fields {
			if fields[i] == n && i+2 < len(fields) && fields[i+1] == ":" {
				args = strings.Join(append(fields[:i:i], fields[i+3:]...), " ")
				break
			}
		}
	}
	return args
}

// bulk is what a bulk operation is given for a list: one selection without
// variables, with edges in place of nodes. Fields in skip are left out, at the
// top level, and filter is the search term, "" for none.
func bulk(list document, filter string, skip ...string) string {
	root := *list.root[0]
	root.args = searched(withoutArguments(root.args, "first", "after", "query", "sortKey"), filter)
	nodes := *root.nodes()
	nodes.sel = without(nodes.sel, skip)
	root.sel = []*selection{&nodes}
	var b strings.Builder
	write(&b, []*selection{edges(&root)})
	return b.String()
}

// lifted is what a bulk operation is given for a connection inside a list that
// is too deep there: the same elements from a list of their own, with what they
// belong to. filter is the search term, "" for none.
func lifted(list document, filter, field, root, parent string) (string, *selection) {
	for _, f := range fields(list.root[0].nodes().sel) {
		if f.name != field {
			continue
		}
		nodes := *f.nodes()
		nodes.sel = append([]*selection{{name: parent, sel: []*selection{{name: "id"}}}}, nodes.sel...)
		top := &selection{name: root, args: searched("", filter), sel: []*selection{&nodes}}
		var b strings.Builder
		write(&b, []*selection{edges(top)})
		return b.String(), top
	}
	return "", nil
}

// searched adds a search term to arguments, "" for none.
func searched(args, filter string) string {
	if filter == "" {
		return args
	}
	return strings.TrimSpace(args + fmt.Sprintf(" query: %q", filter))
}

func without(sel []*selection, names []string) []*selection {
	var out []*selection
	for _, s := range sel {
		drop := false
		for _, n := range names {
			drop = drop || s.name == n
		}
		if !drop {
			out = append(out, s)
		}
	}
	return out
}

// edges turns every connection below s to edges, which are what bulk operations
// know, and drops the sizes of pages, which they don't.
func edges(s *selection) *selection {
	out := *s
	if n := s.nodes(); n != nil {
		node := &selection{name: "node"}
		for _, c := range n.sel {
			node.sel = append(node.sel, edges(c))
		}
		out.args = withoutArguments(s.args, "first")
		out.sel = []*selection{{name: "edges", sel: []*selection{node}}}
		return &out
	}
	out.sel = nil
	for _, c := range s.sel {
		out.sel = append(out.sel, edges(c))
	}
	return &out
}
