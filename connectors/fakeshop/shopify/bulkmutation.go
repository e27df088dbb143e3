package shopify

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// mostVariables is how large a file of variables may be.
const mostVariables = 100 << 20

// manyMutations is one mutation carried out with many sets of variables.
type manyMutations struct {
	lines [][]byte
	done  int
	out   bytes.Buffer
}

// startMutations begins a bulk mutation, or says why not.
func (s *Shop) startMutations(a map[string]any) Object {
	refuse := func(code, field, message string) Object {
		return Object{"bulkOperation": nil, "userErrors": []any{Object{"code": code, "field": []any{field}, "message": message}}}
	}
	doc, err := s.parse(text(a["mutation"]))
	if err != nil {
		return refuse("INVALID_MUTATION", "mutation", err.Error())
	}
	if why := noBulkMutation(doc); why != "" {
		return refuse("INVALID_MUTATION", "mutation", why)
	}
	path := text(a["stagedUploadPath"])
	body, ok := s.uploads["up/"+path]
	switch {
	case !ok:
		return refuse("NO_SUCH_FILE", "stagedUploadPath", "The JSONL file could not be found.")
	case s.staged[path] != "BULK_MUTATION_VARIABLES" || len(body) == 0 || len(body) > mostVariables:
		return refuse("INVALID_STAGED_UPLOAD_FILE", "stagedUploadPath", "The JSONL file is invalid.")
	case s.running("MUTATION") >= mostAtOnce:
		return refuse("LIMIT_REACHED", "mutation", "Bulk operations limit reached. Please try again later.")
	}
	s.serial++
	op := &bulkOperation{doc: doc, began: s.clock(), changes: &manyMutations{lines: bytes.Split(bytes.TrimSpace(body), []byte("\n"))}, object: Object{
		"__typename": "BulkOperation", "id": "gid://shopify/BulkOperation/" + strconv.FormatInt(s.serial, 10),
		"status": "CREATED", "createdAt": s.now(), "query": a["mutation"], "objectCount": "0", "rootObjectCount": "0", "type": "MUTATION",
	}}
	op.took = paced(len(op.changes.lines), s.pace.Mutations)
	s.bulks = append(s.bulks, op)
	return Object{"bulkOperation": op.object, "userErrors": []any{}}
}

// noBulkMutation tells why an operation can't be carried out in bulk, "" when
// it can: it is one mutation, with one connection at most.
func noBulkMutation(doc *ast.QueryDocument) string {
	op := doc.Operations[0]
	if len(doc.Operations) != 1 || op.Operation != ast.Mutation || len(op.SelectionSet) != 1 {
		return "The operation must be one mutation with one field."
	}
	f, ok := op.SelectionSet[0].(*ast.Field)
	if !ok || f.Name == "bulkOperationRunMutation" || f.Name == "bulkOperationRunQuery" {
		return "The mutation can't be run in bulk."
	}
	if connections, _, _ := shapeOf(op.SelectionSet, 0); connections > 1 {
		return "Bulk mutations cannot contain more than 1 connection."
	}
	return ""
}

// RefusesBulkMutation tells why a mutation can't be run in bulk, "" when it can.
func (s *Shop) RefusesBulkMutation(mutation string) string {
	doc, err := s.parse(mutation)
	if err != nil {
		return err.Error()
	}
	return noBulkMutation(doc)
}

// work carries out what bulk mutations have come to by the shop's clock, whether
// or not somebody looks.
func (s *Shop) work() {
	for _, op := range s.bulks {
		if s.pace.Mutations > 0 && op.changes != nil && (op.object["status"] == "CREATED" || op.object["status"] == "RUNNING") {
			op.object["status"] = "RUNNING"
			s.change(op)
		}
	}
}

// change carries out the lines that are due: without a pace half of them the
// first time it is looked at, and all the second.
func (s *Shop) change(op *bulkOperation) {
	m := op.changes
	due := len(m.lines)
	switch {
	case s.pace.Mutations > 0:
		due = min(due, int(s.clock().Sub(op.began).Seconds()*s.pace.Mutations))
	case m.done == 0:
		due = (due + 1) / 2
	}
	for ; m.done < due; m.done++ {
		body, err := json.Marshal(s.mutateLine(op.doc, m.lines[m.done], m.done))
		if err != nil {
			panic(err) // answers are made of JSON
		}
		m.out.Write(append(body, '\n'))
	}
	op.object["objectCount"] = strconv.Itoa(m.done)
	op.object["rootObjectCount"] = op.object["objectCount"]
	if s.bulkFault("write FAILED") {
		op.object["status"], op.object["errorCode"] = "FAILED", "INTERNAL_SERVER_ERROR"
		s.offer(op, m.done, m.out.Bytes())
		op.object["partialDataUrl"] = op.object["url"]
		delete(op.object, "url")
		return
	}
	if m.done < len(m.lines) || s.pace.Mutations == 0 && op.polls < 3 {
		return
	}
	op.object["status"], op.object["completedAt"] = "COMPLETED", s.now()
	s.offer(op, len(m.lines), m.out.Bytes())
}

// mutateLine carries out the mutation with one line's variables.
func (s *Shop) mutateLine(doc *ast.QueryDocument, line []byte, number int) Object {
	var vars map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&vars); err != nil {
		return Object{"errors": []any{gqlError("INVALID_VARIABLE", err.Error(), nil)}, "__lineNumber": number}
	}
	vars = numbers(vars)
	if s.schema != nil {
		coerced, err := validator.VariableValues(s.schema, doc.Operations[0], vars)
		if err != nil {
			return Object{"errors": []any{gqlError("INVALID_VARIABLE", err.Error(), nil)}, "__lineNumber": number}
		}
		vars = numbers(coerced)
	}
	s.log = append(s.log, Call{Operation: doc.Operations[0].Name, Kind: "line", Variables: vars})
	r := &run{s: s, vars: vars, fault: s.lineFault()}
	data := Object{}
	if f, ok := doc.Operations[0].SelectionSet[0].(*ast.Field); ok {
		r.root(ast.Mutation, f, data)
	}
	out := Object{"data": data, "__lineNumber": number}
	if r.fault != nil {
		return Object{"errors": []any{gqlError(r.fault.Code, r.fault.Message, nil)}, "__lineNumber": number}
	}
	if len(r.errors) > 0 {
		out["errors"] = r.errors
	}
	return out
}

// lineFault uses up a fault of the operation "bulk line": the line is carried
// out, and its answer is an error.
func (s *Shop) lineFault() *Fault {
	for i, f := range s.faults {
		if f.Operation != "bulk line" {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}
