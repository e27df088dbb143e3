package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Limits of bulk queries.
const (
	mostConnections = 5
	deepest         = 2
	mostAtOnce      = 5
)

type bulkOperation struct {
	object Object
	doc    *ast.QueryDocument
	polls  int
}

// FailBulk makes every bulk operation that has not ended, and the next one, end
// in a state: "FAILED", "EXPIRED", "CANCELED"; with "PARTIAL" it fails and
// offers what it had until then.
func (s *Shop) FailBulk(state string, times int) {
	s.Fail(Fault{Operation: "bulk " + state, Times: times})
}

// Bulks returns how many bulk operations were started.
func (s *Shop) Bulks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bulks)
}

func (s *Shop) bulkByID(id string) *bulkOperation {
	for _, op := range s.bulks {
		if op.object["id"] == id {
			return op
		}
	}
	return nil
}

// startBulk begins a bulk query, or says why not.
func (s *Shop) startBulk(query string) Object {
	refuse := func(code, message string) Object {
		return Object{"bulkOperation": nil, "userErrors": []any{Object{"code": code, "field": []any{"query"}, "message": message}}}
	}
	doc, err := s.parse(query)
	if err != nil {
		return refuse("INVALID", err.Error())
	}
	if why := tooMuch(doc); why != "" {
		return refuse("INVALID", why)
	}
	running := 0
	for _, op := range s.bulks {
		if op.object["status"] == "CREATED" || op.object["status"] == "RUNNING" {
			running++
		}
	}
	if running >= mostAtOnce {
		return refuse("LIMIT_REACHED", "Bulk operations limit reached. Please try again later.")
	}
	s.serial++
	op := &bulkOperation{doc: doc, object: Object{
		"__typename": "BulkOperation", "id": "gid://shopify/BulkOperation/" + strconv.FormatInt(s.serial, 10),
		"status": "CREATED", "createdAt": s.now(), "query": query, "objectCount": "0", "rootObjectCount": "0", "type": "QUERY",
	}}
	s.bulks = append(s.bulks, op)
	return Object{"bulkOperation": op.object, "userErrors": []any{}}
}

// RefusesBulk tells why a query can't be a bulk operation, "" when it can.
func (s *Shop) RefusesBulk(query string) string {
	doc, err := s.parse(query)
	if err != nil {
		return err.Error()
	}
	return tooMuch(doc)
}

func tooMuch(doc *ast.QueryDocument) string {
	connections, depth, nodes := shapeOf(doc.Operations[0].SelectionSet, 0)
	switch {
	case nodes:
		return "Bulk queries cannot contain nodes."
	case connections == 0:
		return "Bulk queries must contain at least one connection."
	case connections > mostConnections:
		return fmt.Sprintf("Bulk queries cannot contain more than %d connections.", mostConnections)
	case depth > deepest:
		return fmt.Sprintf("Bulk queries cannot contain connections with a nesting depth greater than %d.", deepest)
	}
	return ""
}

// shapeOf counts connections, how deep they lie, and whether "nodes" is used.
func shapeOf(set ast.SelectionSet, depth int) (connections, deep int, nodes bool) {
	deep = depth
	for _, sel := range set {
		var inner ast.SelectionSet
		below := depth
		switch x := sel.(type) {
		case *ast.Field:
			nodes = nodes || x.Name == "nodes"
			if connection(x) {
				connections++
				below++
			}
			inner = x.SelectionSet
		case *ast.InlineFragment:
			inner = x.SelectionSet
		}
		c, d, n := shapeOf(inner, below)
		connections, deep, nodes = connections+c, max(deep, d), nodes || n
	}
	return connections, deep, nodes
}

// advance moves an operation on each time it is looked at: it runs, then it has
// run.
func (s *Shop) advance(op *bulkOperation) Object {
	op.polls++
	switch op.object["status"] {
	case "CREATED":
		op.object["status"] = "RUNNING"
		return op.object
	case "RUNNING":
	default:
		return op.object
	}
	for _, state := range []string{"FAILED", "EXPIRED", "CANCELED", "PARTIAL"} {
		if s.bulkFault(state) {
			op.object["status"] = state
			if state == "PARTIAL" {
				op.object["status"], op.object["partialDataUrl"] = "FAILED", s.server.URL+"/files/partial.jsonl"
			}
			if op.object["status"] == "FAILED" {
				op.object["errorCode"] = "INTERNAL_SERVER_ERROR"
			}
			return op.object
		}
	}
	w := &bulkWriter{run: &run{s: s}}
	for _, sel := range op.doc.Operations[0].SelectionSet {
		if f, ok := sel.(*ast.Field); ok {
			w.connection(f, list(w.run.query(f)), "")
		}
	}
	if len(w.run.errors) > 0 {
		op.object["status"], op.object["errorCode"] = "FAILED", "ACCESS_DENIED"
		return op.object
	}
	op.object["status"], op.object["completedAt"] = "COMPLETED", s.now()
	op.object["objectCount"], op.object["rootObjectCount"] = strconv.Itoa(w.lines), strconv.Itoa(w.rootLines)
	if w.lines > 0 {
		name := "bulk-" + strconv.FormatInt(numberIn(text(op.object["id"])), 10) + ".jsonl"
		s.uploads[name] = w.out.Bytes()
		op.object["url"], op.object["fileSize"] = s.server.URL+"/files/"+name, strconv.Itoa(w.out.Len())
	}
	return op.object
}

// bulkFault uses up a fault of [Shop.FailBulk]; the lock is held.
func (s *Shop) bulkFault(state string) bool {
	for i, f := range s.faults {
		if f.Operation != "bulk "+state {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return true
	}
	return false
}

// bulkWriter writes the lines of a bulk query.
type bulkWriter struct {
	run       *run
	out       bytes.Buffer
	lines     int
	rootLines int
}

// connection writes every element of a connection, and what is connected to
// those.
func (w *bulkWriter) connection(f *ast.Field, all []any, parent string) {
	var node *ast.Field
	for _, sel := range f.SelectionSet {
		if edges, ok := sel.(*ast.Field); ok && edges.Name == "edges" {
			node, _ = edges.SelectionSet[0].(*ast.Field)
		}
	}
	if !w.run.may("QueryRoot", f, nil) {
		return
	}
	for _, e := range all {
		if ref, ok := e.(Ref); ok {
			e = orNil(w.run.s.objects[string(ref)])
		}
		o, ok := e.(Object)
		if !ok {
			continue
		}
		line := Object{}
		var below []func()
		w.fields(node.SelectionSet, o, line, text(o["id"]), &below)
		if parent != "" {
			line["__parentId"] = parent
		} else {
			w.rootLines++
		}
		body, err := json.Marshal(line)
		if err != nil {
			continue
		}
		w.lines++
		w.out.Write(append(body, '\n'))
		for _, fn := range below {
			fn()
		}
	}
}

// fields fills a line with everything but connections, which come after it.
func (w *bulkWriter) fields(set ast.SelectionSet, o, line Object, id string, below *[]func()) {
	plainSet := ast.SelectionSet{}
	for _, sel := range set {
		switch x := sel.(type) {
		case *ast.InlineFragment:
			if w.run.s.is(text(o["__typename"]), x.TypeCondition) {
				w.fields(x.SelectionSet, o, line, id, below)
			}
		case *ast.Field:
			value := w.run.s.field(o, x, arguments(x, nil))
			if connection(x) {
				*below = append(*below, func() { w.connection(x, list(value), id) })
				continue
			}
			if inner := w.inner(value); inner != nil && hasConnection(x.SelectionSet) {
				part := Object{}
				w.fields(x.SelectionSet, inner, part, id, below)
				line[x.Alias] = part
				continue
			}
			plainSet = append(plainSet, sel)
		}
	}
	w.run.selectFrom(plainSet, o, line, nil)
}

func (w *bulkWriter) inner(v any) Object {
	if ref, ok := v.(Ref); ok {
		return w.run.s.objects[string(ref)]
	}
	return asObject(v)
}

func hasConnection(set ast.SelectionSet) bool {
	n, _, _ := shapeOf(set, 0)
	return n > 0
}
