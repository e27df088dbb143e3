package shopify

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// run is one operation being carried out.
type run struct {
	s      *Shop
	vars   map[string]any
	fault  *Fault
	errors []any
	found  float64 // objects that were there, for the actual cost
}

// parse reads an operation and holds it to the schema where there is one.
func (s *Shop) parse(query string) (*ast.QueryDocument, error) { return s.reader.read(query) }

// Parse reads an operation as the shop does.
func (s *Shop) Parse(query string) (*ast.QueryDocument, error) { return s.parse(query) }

func gqlError(code, message string, path []any) Object {
	return Object{"message": message, "path": path, "extensions": Object{"code": code}}
}

// execute answers one operation.
func (s *Shop) execute(query, name string, vars map[string]any, f *Fault) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, err := s.parse(query)
	if err != nil {
		return Object{"errors": []any{gqlError("undefinedField", err.Error(), nil)}}
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		return Object{"errors": []any{gqlError("missingOperation", "no operation "+name, nil)}}
	}
	if s.schema != nil {
		// An input that Shopify would not take is not taken here.
		coerced, verr := validator.VariableValues(s.schema, op, vars)
		if verr != nil {
			return Object{"errors": []any{gqlError("INVALID_VARIABLE", verr.Error(), nil)}}
		}
		vars = numbers(coerced)
	}
	s.work()
	price := s.price(op, vars)
	s.log = append(s.log, Call{Operation: name, Kind: string(op.Operation), Cost: price, Variables: vars})
	if price > mostCost {
		return Object{"errors": []any{gqlError("MAX_COST_EXCEEDED", fmt.Sprintf("Query cost is %v, which exceeds the single query max cost limit (%d).", price, mostCost), nil)}}
	}
	s.bucket.refill(s.clock())
	if price > s.bucket.left || f != nil && f.Code == "THROTTLED" {
		return Object{"errors": []any{gqlError("THROTTLED", "Throttled", nil)}, "extensions": s.costs(price, 0)}
	}
	r := &run{s: s, vars: vars, fault: f}
	data := Object{}
	for _, sel := range op.SelectionSet {
		field, ok := sel.(*ast.Field)
		if !ok {
			continue
		}
		r.root(op.Operation, field, data)
	}
	actual := price
	if op.Operation == ast.Query {
		actual = min(price, math.Ceil(r.found/2)+1)
	}
	s.log[len(s.log)-1].Actual = actual
	s.bucket.left -= actual
	s.bucket.spent += actual
	answer := Object{"data": data, "extensions": s.costs(price, actual)}
	if f != nil && f.Code != "" {
		r.errors = append(r.errors, gqlError(f.Code, f.Message, f.Path))
	}
	if len(r.errors) > 0 {
		answer["errors"] = r.errors
	}
	return answer
}

func (s *Shop) price(op *ast.OperationDefinition, vars map[string]any) float64 {
	if op.Operation == ast.Query {
		return math.Ceil(requested(op.SelectionSet, vars))
	}
	total := 0.0
	for _, sel := range op.SelectionSet {
		if f, ok := sel.(*ast.Field); ok {
			total += mutationCost(f, vars)
		}
	}
	return math.Ceil(total)
}

func (s *Shop) costs(requested, actual float64) Object {
	return Object{"cost": Object{
		"requestedQueryCost": requested, "actualQueryCost": actual,
		"throttleStatus": Object{"maximumAvailable": s.bucket.max, "currentlyAvailable": math.Floor(s.bucket.left), "restoreRate": s.bucket.rate},
	}}
}

// root answers one field of the operation itself.
func (r *run) root(kind ast.Operation, f *ast.Field, into Object) {
	path := []any{f.Alias}
	into[f.Alias] = nil
	holder := "QueryRoot"
	if kind == ast.Mutation {
		holder = "Mutation"
	}
	if !r.may(holder, f, path) {
		return
	}
	var got any
	if kind == ast.Mutation {
		got = r.s.mutate(f.Name, arguments(f, r.vars), key(f, r.vars))
	} else {
		got = r.query(f)
	}
	into[f.Alias] = r.complete(f, got, path)
}

// key is the value of @idempotent.
func key(f *ast.Field, vars map[string]any) string {
	d := f.Directives.ForName("idempotent")
	if d == nil {
		return ""
	}
	return text(value(d.Arguments.ForName("key").Value, vars))
}

// may reports whether the key's scopes reach a field, and says so if not.
func (r *run) may(holder string, f *ast.Field, path []any) bool {
	needs := [][]string{r.s.access[holder+"."+f.Name].any}
	if f.Definition != nil && len(f.SelectionSet) > 0 && holder != "Mutation" {
		needs = append(needs, r.s.access[f.Definition.Type.Name()].any)
		// A connection needs what its elements need.
		needs = append(needs, r.s.access[strings.TrimSuffix(f.Definition.Type.Name(), "Connection")].any)
	}
	for _, one := range needs {
		if !r.s.owns(one) {
			e := gqlError("ACCESS_DENIED", fmt.Sprintf("Access denied for %s field. Required access: `%s` access scope.", f.Name, one[0]), path)
			object(map[string]any(e["extensions"].(Object)))["requiredAccess"] = fmt.Sprintf("`%s` access scope.", one[0])
			r.errors = append(r.errors, e)
			return false
		}
	}
	return true
}

// complete turns what lies in the shop into what was asked for of it.
func (r *run) complete(f *ast.Field, got any, path []any) any {
	switch x := got.(type) {
	case nil:
		return r.nothing(f)
	case Ref:
		o := r.s.objects[string(x)]
		if o == nil {
			return nil
		}
		return r.complete(f, o, path)
	case Object:
		if len(f.SelectionSet) == 0 {
			return x
		}
		r.found++
		out := Object{}
		r.selectFrom(f.SelectionSet, x, out, path)
		return out
	case []any:
		if connection(f) {
			return r.connection(f, x, path)
		}
		out := make([]any, 0, len(x))
		for i, e := range x {
			if ref, ok := e.(Ref); ok && r.s.objects[string(ref)] == nil {
				continue
			}
			if e == nil {
				out = append(out, nil)
				continue
			}
			out = append(out, r.complete(f, e, append(slices.Clone(path), i)))
		}
		return out
	}
	return got
}

// nothing is what a field has that was never set: null where that may be.
func (r *run) nothing(f *ast.Field) any {
	if connection(f) {
		return r.connection(f, nil, nil)
	}
	if f.Definition == nil || !f.Definition.Type.NonNull {
		return nil
	}
	if f.Definition.Type.Elem != nil {
		return []any{}
	}
	if len(f.SelectionSet) > 0 {
		out := Object{}
		r.selectFrom(f.SelectionSet, Object{"__typename": f.Definition.Type.Name()}, out, nil)
		return out
	}
	switch f.Definition.Type.Name() {
	case "Boolean":
		return false
	case "Int", "Float":
		return 0
	case "Decimal", "Money":
		return "0.0"
	case "UnsignedInt64":
		return "0"
	case "DateTime":
		return "2020-01-01T00:00:00Z"
	}
	if def := r.s.schema.Types[f.Definition.Type.Name()]; def != nil && def.Kind == ast.Enum {
		return def.EnumValues[0].Name
	}
	return ""
}

// selectFrom answers a set of selections from one object.
func (r *run) selectFrom(set ast.SelectionSet, o Object, into Object, path []any) {
	typ := text(o["__typename"])
	for _, sel := range set {
		switch x := sel.(type) {
		case *ast.InlineFragment:
			if r.s.is(typ, x.TypeCondition) {
				r.selectFrom(x.SelectionSet, o, into, path)
			}
		case *ast.Field:
			at := append(slices.Clone(path), x.Alias)
			switch {
			case x.Name == "__typename":
				into[x.Alias] = typ
			case r.fault != nil && r.fault.Blank == typ+"."+x.Name:
				into[x.Alias] = nil
			case !r.may(typ, x, at):
				into[x.Alias] = nil
			default:
				into[x.Alias] = r.complete(x, r.s.field(o, x, arguments(x, r.vars)), at)
			}
		}
	}
}

// is reports whether a type is another, or one of those that another stands for.
func (s *Shop) is(typ, other string) bool {
	if typ == other || s.schema == nil {
		return typ == other
	}
	def := s.schema.Types[other]
	if def == nil {
		return false
	}
	return slices.ContainsFunc(s.schema.GetPossibleTypes(def), func(d *ast.Definition) bool { return d.Name == typ })
}

// connection answers a page of a list.
func (r *run) connection(f *ast.Field, all []any, path []any) any {
	args := arguments(f, r.vars)
	if r.fault != nil && r.fault.Empty {
		all = nil
	}
	all = slices.DeleteFunc(slices.Clone(all), func(e any) bool {
		ref, ok := e.(Ref)
		return ok && r.s.objects[string(ref)] == nil
	})
	start := 0
	if after := text(args["after"]); after != "" {
		start = r.s.after(all, after)
	}
	first := 50
	if n, ok := args["first"].(int64); ok {
		first = int(n)
	}
	end := min(len(all), start+first)
	page := all[min(start, len(all)):end]
	out := Object{}
	for _, sel := range f.SelectionSet {
		x, ok := sel.(*ast.Field)
		if !ok {
			continue
		}
		switch x.Name {
		case "nodes":
			nodes := make([]any, 0, len(page))
			for i, e := range page {
				nodes = append(nodes, r.complete(x, e, append(slices.Clone(path), "nodes", i)))
			}
			out[x.Alias] = nodes
		case "edges":
			out[x.Alias] = r.edges(x, page, path)
		case "pageInfo":
			info := Object{"hasNextPage": end < len(all), "hasPreviousPage": start > 0, "endCursor": nil}
			if len(page) > 0 {
				info["endCursor"] = r.s.cursor(all, end-1)
			}
			into := Object{}
			for _, c := range x.SelectionSet {
				if cf, ok := c.(*ast.Field); ok {
					into[cf.Alias] = info[cf.Name]
				}
			}
			out[x.Alias] = into
		case "userErrors":
			out[x.Alias] = []any{}
		}
	}
	return out
}

// edges answers a page as edges with a node each.
func (r *run) edges(f *ast.Field, page []any, path []any) []any {
	out := make([]any, 0, len(page))
	for i, e := range page {
		edge := Object{}
		for _, sel := range f.SelectionSet {
			if n, ok := sel.(*ast.Field); ok && n.Name == "node" {
				edge[n.Alias] = r.complete(n, e, append(slices.Clone(path), "edges", i))
			}
		}
		out = append(out, edge)
	}
	return out
}

// arguments evaluates the arguments of a field.
func arguments(f *ast.Field, vars map[string]any) map[string]any {
	out := map[string]any{}
	for _, a := range f.Arguments {
		if v := value(a.Value, vars); v != nil {
			out[a.Name] = v
		}
	}
	return out
}

func value(v *ast.Value, vars map[string]any) any {
	if v == nil {
		return nil
	}
	got, err := v.Value(vars)
	if err != nil {
		return nil
	}
	return plain(got)
}
