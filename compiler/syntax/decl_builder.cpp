// AstBuilder for files and the short declarations.
#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {

using P = generated::WeirParser;

std::unique_ptr<ast::File> AstBuilder::BuildFile(P::FileContext* context) {
  auto file = std::make_unique<ast::File>();
  file->id = source_.id();
  for (P::TopLineContext* line : context->topLine()) {
    if (line->topStatement() != nullptr) {
      BuildStatement(line->topStatement(), *file);
    }
  }
  return file;
}

void AstBuilder::BuildStatement(P::TopStatementContext* context, ast::File& file) {
  if (auto* declaration = To<P::DeclarationStatementContext>(context)) {
    if (declaration->declaration() == nullptr) {
      return;
    }
    ast::DeclPtr decl = BuildDecl(declaration->declaration());
    if (decl != nullptr && !decl->name.empty()) {
      if (!decl->header.valid()) {
        decl->header = decl->span;
      }
      file.declarations.push_back(std::move(decl));
    }
    return;
  }
  if (!file.declarations.empty()) {
    Report(DiagnosticKind::kMisplacedHeader, SpanOf(context->getStart()),
           "`" + Raw(context->getStart()).text + "` comes after a declaration",
           "move it to the head of the file");
  }
  if (auto* edition = To<P::EditionStatementContext>(context);
      edition != nullptr && edition->NUMBER() != nullptr) {
    ast::Name number = Raw(edition->NUMBER()->getSymbol());
    if (!file.edition.empty()) {
      Report(DiagnosticKind::kMisplacedHeader, number.span, "the edition is declared twice");
    } else if (number.text != "1") {
      Report(DiagnosticKind::kUnknownEdition, number.span,
             "edition `" + number.text + "` is unknown to this compiler", "write `edition 1`");
    }
    file.edition = std::move(number);
  } else if (auto* package = To<P::PackageStatementContext>(context);
             package != nullptr && package->qname() != nullptr) {
    if (!file.package.empty()) {
      Report(DiagnosticKind::kMisplacedHeader, SpanOf(package), "the package is declared twice");
    }
    file.package = NameOf(package->qname());
  } else if (auto* uses = To<P::UseStatementContext>(context)) {
    for (P::UseContext* use : uses->use()) {
      if (use->qname() != nullptr) {
        file.uses.push_back({SpanOf(use), NameOf(use->qname()), NameOf(use->version())});
      }
    }
  }
}

ast::DeclPtr AstBuilder::BuildDecl(P::DeclarationContext* context) {
  ast::DeclPtr decl;
  if (auto* authority = To<P::AuthorityDeclContext>(context)) {
    auto made = std::make_unique<ast::AuthorityDecl>();
    made->name = NameOf(authority->ident());
    std::vector<ast::Name> texts = NamesOf(authority->text());
    if (!texts.empty()) {
      made->uri = std::move(texts.front());
      made->namespaces.assign(std::make_move_iterator(texts.begin() + 1),
                              std::make_move_iterator(texts.end()));
    }
    decl = std::move(made);
  } else if (auto* keyspace = To<P::KeyspaceDeclContext>(context)) {
    auto made = std::make_unique<ast::KeyspaceDecl>();
    std::vector<ast::Name> names = NamesOf(keyspace->ident());
    names.resize(3);
    made->name = std::move(names[0]);
    made->type = std::move(names[1]);
    made->within = std::move(names[2]);
    for (P::ItemContext* item : keyspace->item()) {
      made->parts.push_back(BuildItem(item));
    }
    decl = std::move(made);
  } else if (auto* events = To<P::EventsDeclContext>(context)) {
    auto made = std::make_unique<ast::EventsDecl>();
    made->name = NameOf(events->ident());
    made->events = EventsOf(events->eventList());
    decl = std::move(made);
  } else if (auto* fn = To<P::FnDeclContext>(context)) {
    auto made = std::make_unique<ast::FunctionDecl>();
    made->name = NameOf(fn->ident(0));
    made->params = NamesOf(fn->ident(), 1);
    made->body = BuildItem(fn->item());
    decl = std::move(made);
  } else if (auto* accept = To<P::AcceptDeclContext>(context)) {
    auto made = std::make_unique<ast::AcceptChangeDecl>();
    made->name = NameOf(accept->code());
    made->until = Raw(accept->date());
    made->by = NameOf(accept->text(0));
    made->because = NameOf(accept->text(1));
    decl = std::move(made);
  } else if (auto* lifecycle = To<P::LifecycleDeclContext>(context)) {
    decl = BuildLifecycle(lifecycle);
  } else if (auto* table = To<P::TableDeclContext>(context)) {
    decl = BuildTable(table);
  } else if (auto* feed = To<P::FeedDeclContext>(context)) {
    decl = BuildFeed(feed);
  } else if (auto* map = To<P::MapDeclContext>(context)) {
    decl = BuildMap(map);
  } else if (auto* policy = To<P::PolicyDeclContext>(context)) {
    decl = BuildPolicy(policy);
  } else if (auto* consumer = To<P::ConsumerDeclContext>(context)) {
    decl = BuildConsumer(consumer);
  } else if (auto* test = To<P::TestDeclContext>(context)) {
    decl = BuildTest(test);
  } else if (auto* migrate = To<P::MigrateDeclContext>(context)) {
    decl = BuildMigrate(migrate);
  }
  if (decl != nullptr) {
    decl->span = SpanOf(context);
    decl->doc = DocOf(context);
  }
  return decl;
}

ast::DeclPtr AstBuilder::BuildLifecycle(P::LifecycleDeclContext* context) {
  auto decl = std::make_unique<ast::LifecycleDecl>();
  if (P::LifecycleHeaderContext* header = context->lifecycleHeader()) {
    decl->header = SpanOf(header);
    decl->name = NameOf(header->qname(0));
    decl->element = NameOf(header->qname(1));
  }
  if (context->lifecycleBlock() == nullptr) {
    return decl;
  }
  for (P::LifecycleLineContext* line : context->lifecycleBlock()->lifecycleLine()) {
    P::LifecycleRowContext* row = line->lifecycleRow();
    if (row == nullptr || (row->code() == nullptr && row->UNDOES() == nullptr)) {
      continue;
    }
    ast::LifecycleRow made;
    made.span = SpanOf(row);
    made.events = EventsOf(row->eventList(0));
    made.undoes = row->UNDOES() != nullptr;
    made.undone = EventsOf(row->eventList(1));
    made.status = NameOf(row->code());
    decl->rows.push_back(std::move(made));
  }
  return decl;
}

namespace {

ast::TableElse ElseOf(const std::string& word) {
  using Pair = std::pair<std::string_view, ast::TableElse>;
  for (auto [name, kind] :
       {Pair{"dead_letter", ast::TableElse::kDeadLetter},
        Pair{"original", ast::TableElse::kOriginal}, Pair{"text", ast::TableElse::kText},
        Pair{"omit", ast::TableElse::kOmit}}) {
    if (word == name) {
      return kind;
    }
  }
  return ast::TableElse::kCode;
}

}  // namespace

ast::DeclPtr AstBuilder::BuildTable(P::TableDeclContext* context) {
  auto decl = std::make_unique<ast::TableDecl>();
  if (P::TableHeaderContext* header = context->tableHeader()) {
    decl->header = SpanOf(header);
    decl->name = NameOf(header->ident());
    decl->from = NameOf(header->system(0));
    decl->to = NameOf(header->system(1));
    decl->from_is_url = header->system(0) != nullptr && header->system(0)->text() != nullptr;
    decl->to_is_url = header->system(1) != nullptr && header->system(1)->text() != nullptr;
  }
  if (context->tableBlock() == nullptr) {
    return decl;
  }
  for (P::TableLineContext* line : context->tableBlock()->tableLine()) {
    P::TableRowContext* row = line->tableRow();
    if (auto* codes = To<P::TableCodesContext>(row)) {
      if (ast::TableRow made = BuildRow(codes); !made.target.span.valid() || made.sources.empty()) {
        continue;  // broken and reported
      } else {
        decl->rows.push_back(std::move(made));
      }
    } else if (auto* otherwise = To<P::TableElseContext>(row);
               otherwise != nullptr && otherwise->tableCode() != nullptr) {
      if (decl->otherwise != ast::TableElse::kNone) {
        ReportTwice(SpanOf(otherwise), decl->otherwise_row.span);
        continue;
      }
      P::TableCodeContext* code = otherwise->tableCode();
      bool quoted = code->STRING() != nullptr;
      ast::TableRow& made = decl->otherwise_row;
      made.span = SpanOf(otherwise);
      made.target = quoted ? ast::Name{Decode(SpanOf(code)), SpanOf(code)} : NameOf(code->code());
      decl->otherwise = quoted ? ast::TableElse::kCode : ElseOf(made.target.text);
      made.display =
          otherwise->display() != nullptr
              ? ast::Name{Decode(SpanOf(otherwise->display())), SpanOf(otherwise->display())}
              : ast::Name{};
      made.system =
          otherwise->inSystem() != nullptr ? NameOf(otherwise->inSystem()->text()) : ast::Name{};
    }
  }
  return decl;
}

ast::TableRow AstBuilder::BuildRow(P::TableCodesContext* context) {
  ast::TableRow row;
  row.span = SpanOf(context);
  for (P::TableCodeContext* code : context->tableCode()) {
    Span span = SpanOf(code);
    row.sources.push_back(code->STRING() != nullptr ? ast::Name{Decode(span), span}
                                                    : NameOf(code->code()));
  }
  // All but the last stand before the arrow.
  if (context->ARROW() != nullptr && row.sources.size() > 1) {
    row.target = std::move(row.sources.back());
    row.sources.pop_back();
  }
  if (context->display() != nullptr) {
    row.display = {Decode(SpanOf(context->display())), SpanOf(context->display())};
  }
  if (context->inSystem() != nullptr) {
    row.system = NameOf(context->inSystem()->text());
  }
  return row;
}

}  // namespace weir::syntax
