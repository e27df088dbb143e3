package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

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
	began  time.Time
	took   time.Duration // by its pace, once that is known

	result  *bulkWriter    // of a query, once it has been written
	changes *manyMutations // of a mutation
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
	if s.running("QUERY") >= mostAtOnce {
		for _, op := range s.bulks {
			s.advance(op) // they go on while somebody waits
		}
		return refuse("LIMIT_REACHED", "Bulk operations limit reached. Please try again later.")
	}
	s.serial++
	op := &bulkOperation{doc: doc, began: s.clock(), object: Object{
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
				op.object["status"], op.object["partialDataUrl"] = "FAILED", s.at+"/files/partial.jsonl"
			}
			if op.object["status"] == "FAILED" {
				op.object["errorCode"] = "INTERNAL_SERVER_ERROR"
			}
			return op.object
		}
	}
	if op.changes != nil {
		s.change(op)
		return op.object
	}
	if op.result == nil {
		op.result = s.writeAll(op)
	}
	w := op.result
	if len(w.run.errors) > 0 {
		op.object["status"], op.object["errorCode"] = "FAILED", "ACCESS_DENIED"
		return op.object
	}
	if s.clock().Before(op.began.Add(op.took)) {
		return op.object
	}
	op.object["status"], op.object["completedAt"] = "COMPLETED", s.now()
	op.object["objectCount"], op.object["rootObjectCount"] = strconv.Itoa(w.lines), strconv.Itoa(w.rootLines)
	s.offer(op, w.lines, w.out.Bytes())
	return op.object
}

// writeAll writes the result of a query, as the shop is now.
func (s *Shop) writeAll(op *bulkOperation) *bulkWriter {
	w := &bulkWriter{run: &run{s: s}}
	for _, sel := range op.doc.Operations[0].SelectionSet {
		if f, ok := sel.(*ast.Field); ok {
			w.connection(f, list(w.run.query(f)), "")
		}
	}
	op.took = paced(w.lines, s.pace.Objects)
	return w
}

// WriteBulks has every bulk query that was begun write its result now. It still
// takes as long as it takes.
func (s *Shop) WriteBulks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.bulks {
		if op.changes == nil && op.result == nil {
			op.object["status"], op.result = "RUNNING", s.writeAll(op)
		}
	}
}

// paced is how long so many take at a pace; no time at none.
func paced(n int, pace float64) time.Duration {
	if pace <= 0 {
		return 0
	}
	return time.Duration(float64(n) / pace * float64(time.Second))
}

// offer has the result of an operation fetched.
func (s *Shop) offer(op *bulkOperation, lines int, body []byte) {
	if lines == 0 {
		return
	}
	name := "bulk-" + strconv.FormatInt(numberIn(text(op.object["id"])), 10) + ".jsonl"
	s.uploads[name] = body
	op.object["url"], op.object["fileSize"] = s.at+"/files/"+name, strconv.Itoa(len(body))
}

// running counts the operations of a type that have not ended.
func (s *Shop) running(typ string) (n int) {
	for _, op := range s.bulks {
		if op.object["type"] == typ && (op.object["status"] == "CREATED" || op.object["status"] == "RUNNING") {
			n++
		}
	}
	return n
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
		body, err := json.Marshal(line)
		if err != nil {
			continue
		}
		if parent == "" {
			w.rootLines++
		} else { // Shopify writes it last
			body = fmt.Appendf(bytes.TrimSuffix(body, []byte{'}'}), `,"__parentId":%q}`, parent)
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

// BulkTime is how long the longest of all bulk queries took by the shop's pace,
// and all of them together, of each query the last.
func (s *Shop) BulkTime() (longest, all time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := map[string]time.Duration{}
	for _, op := range s.bulks {
		if op.changes == nil {
			took[text(op.object["query"])] = op.took
		}
	}
	for _, d := range took {
		longest, all = max(longest, d), all+d
	}
	return longest, all
}

// BulkQueries lists what bulk queries were begun for, in order.
func (s *Shop) BulkQueries() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.bulks {
		if op.changes == nil {
			out = append(out, text(op.object["query"]))
		}
	}
	return out
}
