// The language of weir: declarations around FHIRPath, in one grammar. Reference: docs/language.md.
//
// How it stays unambiguous and reports many narrow errors (docs/language.md section 1, compiler/syntax/token_filter.h):
// - END is made by the token filter from newlines and `;`; a closing brace is always preceded by one.
// - The filter also turns a word into IDENT where it can only be a name: after a dot, and first in a line before
//   `:` `->` `.` or an adjacent `(`, and `lifecycle` where no name follows. So lines are told apart by one token although no word is reserved.
// - Every block is a loop of lines, every line `statement END`; headers are rules of their own. Recovery works on these.
grammar Weir;

tokens { END, UNIT }

// ---- files ----
file : topLine* EOF ;
topLine : topStatement END | END ;
topStatement
  : EDITION NUMBER                                                      # editionStatement
  | PACKAGE qname                                                       # packageStatement
  | USE use (COMMA use)*                                                # useStatement
  | declaration                                                         # declarationStatement
  ;
use : qname version? ;

declaration
  : AUTHORITY ident EQ text (FROM text (COMMA text)*)?                  # authorityDecl
  | KEYSPACE ident OF ident EQ item (COMMA item)* (WITHIN ident)?       # keyspaceDecl
  | EVENTS ident EQ eventList                                           # eventsDecl
  | FN ident LPAREN (ident (COMMA ident)*)? RPAREN EQ item              # fnDecl
  | lifecycleHeader lifecycleBlock                                      # lifecycleDecl
  | tableHeader tableBlock                                              # tableDecl
  | feedHeader feedBlock                                                # feedDecl
  | mapHeader mapBlock                                                  # mapDecl
  | policyHeader policyBlock                                            # policyDecl
  | consumerHeader consumerBlock                                        # consumerDecl
  | testHeader testBlock                                                # testDecl
  | migrateHeader migrateBlock                                          # migrateDecl
  | ACCEPT code UNTIL date BY text BECAUSE text                         # acceptDecl
  ;

// ---- life cycles and tables ----
lifecycleHeader : LIFECYCLE qname OF qname ;
lifecycleBlock : LBRACE lifecycleLine* RBRACE | EMPTY ;
lifecycleLine : lifecycleRow END | END ;
lifecycleRow : eventList (ARROW code | UNDOES eventList) ;

tableHeader : TABLE ident FROM system TO system ;
system : text | code ;
tableBlock : LBRACE tableLine* RBRACE | EMPTY ;
tableLine : tableRow END | END ;
tableRow
  : ELSE ARROW tableCode TEXT_WORD? display? inSystem?                  # tableElse
  | tableCode (COMMA tableCode)* ARROW tableCode display? inSystem?     # tableCodes
  ;
tableCode : code | STRING ;
display : TEXT ;
inSystem : IN text ;

// ---- feeds ----
feedHeader : FEED ident (VERSION version)? (EXTENDS qname)? ;
feedBlock : LBRACE feedLine* RBRACE | EMPTY ;
feedLine : feedClause END | END ;
feedClause
  : OWNER text                                                          # ownerClause
  | AGREEMENT text (NOTICE duration)?                                   # agreementClause
  | FROM expr                                                           # fromClause
  | ACCEPT eventList (PROCESSING ident (COMMA ident)*)?                 # acceptClause
  | VERSIONS versionRange (COMMA versionRange)* (ELSE version)?         # versionsClause
  | TIMEZONE text                                                       # timezoneClause
  | segmentHeader segmentBlock                                          # segmentClause
  | REQUIRE expr (COMMA expr)*                                          # requireClause
  | onHeader feedBlock                                                  # onClause
  | IGNORE path (COMMA path)* (BECAUSE text)?                           # ignoreClause
  | DUPLICATE SAME path (COMMA path)* sameContent?                      # duplicateClause
  | ORDER BY item                                                       # orderClause
  | LATE AFTER duration                                                 # lateClause
  | FUTURE AFTER duration                                               # futureClause
  | INVALID VALUES ident                                                # invalidClause
  | SUPPRESS WHEN expr (BECAUSE text)?                                  # suppressClause
  | SLO ident ident? cmp=(LE | LT | GT | GE) NUMBER (UNIT | PERCENT)? (DURING CLOCK MINUS CLOCK)?  # sloClause
  | ACKNOWLEDGE ident                                                   # acknowledgeClause
  | MERGE ident forEach? FROM item (INTO item)? (WHEN expr)?            # mergeClause
  ;
onHeader : ON eventList ;
sameContent : AND SAME CONTENT (EXCEPT path (COMMA path)*)? ;
segmentHeader : SEGMENT ident (AFTER ident)? (OPTIONAL | REPEATING)* ;
segmentBlock : LBRACE segmentLine* RBRACE | EMPTY ;
segmentLine : segmentField END | END ;
segmentField : NUMBER ident COLON ident REPEATING? ;

eventList : eventRange (COMMA eventRange)* ;
eventRange : (EVENT | ident) (RANGE ident)? (AS ident)? ;
versionRange : version (RANGE version)? ;
version : VERSION_NUMBER | NUMBER | ident ;
duration : NUMBER UNIT ;
date : NUMBER MINUS NUMBER MINUS NUMBER ;

// ---- maps ----
mapHeader
  : MAP qname (FROM qname)? (ON eventList)? forEach? TO qname
    (CONFORMS system (ELSE BASE)?)? (EXTENDS qname (COMMA qname)*)?
  ;
forEach : FOR EACH expr (COMMA expr)* (NAMED ident)? (WHEN expr)? ;
mapBlock : LBRACE mapLine* RBRACE | EMPTY ;
mapLine : mapStatement END | END ;
mapStatement
  : KEY item (COMMA item)* (WITHIN ident)?                              # keyLine
  | MERGE ident                                                         # mergeLine
  | SNAPSHOT SET OF qname (COMMA EACH expr)*                            # snapshotLine
  | ON_FAIL ident                                                       # onFailLine
  | SKIP_WORD target                                                        # skipLine
  | target (COLON value | ARROW qname (LPAREN expr RPAREN)?) (WHEN expr)?  # targetLine
  ;
target : firstStep (DOT targetStep)* ;
firstStep : firstIdent slice? ;
targetStep : ident slice? ;
slice : LPAREN system RPAREN ;
value : mapBlock | LIFECYCLE qname (ELSE item)? | item (COMMA item)* mapBlock? ;
item : alternative (ELSE alternative)* ;
alternative : ABSENT code | EACH? expr (USING qname)? (VIA qname)? ;

// ---- policies, consumers, tests, migrations ----
policyHeader : POLICY ident (DIALECT ident)? ;
policyBlock : LBRACE policyLine* RBRACE | EMPTY ;
policyLine : policyRule END | END ;
policyRule
  : verb=LABEL ident policyClause*
  | verb=(PERMIT | DENY) ident policyClause*
  | verb=(REDACT | MASK) qname policyClause*
  | verb=NEVER (STORE qname | ident) policyClause*
  | verb=BREAK_GLASS policyClause*
  ;
policyClause
  : OF ident                                                            # ofClause
  | TO ident (COMMA ident)*                                             # toClause
  | FOR ident (COMMA ident)*                                            # forClause
  | ON scope (COMMA scope)*                                             # scopeClause
  | WHERE expr                                                          # whereClause
  | SPREADING TO ident (COMMA ident)*                                   # spreadingClause
  | UNLESS ident ident                                                  # unlessClause
  | OBLIGES ident (COMMA ident)*                                        # obligesClause
  ;
scope : ident (LPAREN qname (COMMA qname)* RPAREN)? ;

consumerHeader : CONSUMER ident ;
consumerBlock : LBRACE consumerLine* RBRACE | EMPTY ;
consumerLine : consumerClause END | END ;
consumerClause
  : word=(IDENTITY | ORGANIZATION) text
  | word=(ROLE | PURPOSE | RESOURCES) ident (COMMA ident)*
  ;

testHeader : TEST text ;
testBlock : LBRACE testLine* RBRACE | EMPTY ;
testLine : testClause END | END ;
testClause : GIVEN (MESSAGE | FILE) text | EXPECT expr ;

migrateHeader : MIGRATE version TO version ;
migrateBlock : LBRACE migrateLine* RBRACE | EMPTY ;
migrateLine : migrateStep END | END ;
migrateStep : BACKFILL ident (SINCE duration)? ;

// ---- FHIRPath with v2 paths ----
fhirPath : expr EOF ;

expr
  : path                                                                # pathExpr
  | op=(PLUS | MINUS) expr                                              # unaryExpr
  | expr op=(STAR | SLASH | DIV | MOD) expr                             # binaryExpr
  | expr op=(PLUS | MINUS | AMP) expr                                   # binaryExpr
  | expr op=(IS | AS) typeName                                          # typeExpr
  | expr op=PIPE expr                                                   # binaryExpr
  | expr op=(LE | LT | GT | GE) expr                                    # binaryExpr
  | expr op=(EQ | TILDE | NE | NOT_TILDE) expr                          # binaryExpr
  | expr op=(IN | CONTAINS) expr                                        # binaryExpr
  | expr op=AND expr                                                    # binaryExpr
  | expr op=(OR | XOR) expr                                             # binaryExpr
  | expr op=IMPLIES expr                                                # binaryExpr
  ;
typeName : ident (DOT ident)? ;

path : primary suffix* ;
primary
  : LPAREN expr RPAREN                                                  # parenPrimary
  | NUMBER (UNIT | STRING)?                                             # numberPrimary
  | token=(EMPTY | TRUE | FALSE | STRING | TEXT | DATE | DATETIME | TIME | THIS | INDEX | TOTAL | ENV | V2FIELD | STEP)  # tokenPrimary
  | operandIdent arguments?                                             # namePrimary
  ;
suffix
  : DOT ident arguments?                                                # memberSuffix
  | DOT token=(V2FIELD | THIS | INDEX | TOTAL)                          # tokenSuffix
  | STEP                                                                # stepSuffix
  | REPEAT                                                              # repeatSuffix
  | LBRACK criterion (COMMA criterion)* RBRACK                          # bracketSuffix
  ;
arguments : LPAREN (expr (COMMA expr)*)? RPAREN ;
criterion : word=(AUTHORITY | TYPE) (code | text) | expr ;

// ---- names ----
qname : ident (DOT ident)* ;
text : TEXT | STRING ;
code : (ident | V2FIELD | TRUE | FALSE) (MINUS (ident | NUMBER | V2FIELD))* ;   // without blanks, checked when the tree is built

// All words are soft. What follows takes some away where they begin something: a value, a line of a map.
ident : operandIdent | EACH | ABSENT | LIFECYCLE | ELSE ;
operandIdent : firstIdent | KEY | MERGE | SNAPSHOT | ON_FAIL | SKIP_WORD ;
firstIdent
  : IDENT | DELIMITED
  | EDITION | PACKAGE | USE | AUTHORITY | KEYSPACE | OF | FROM | WITHIN | EVENTS | FN | TABLE | TO | FEED | VERSION | EXTENDS
  | OWNER | AGREEMENT | NOTICE | ACCEPT | PROCESSING | VERSIONS | TIMEZONE | SEGMENT | AFTER | OPTIONAL | REPEATING | REQUIRE
  | ON | IGNORE | BECAUSE | DUPLICATE | SAME | CONTENT | EXCEPT | ORDER | BY | LATE | FUTURE | INVALID | VALUES | SUPPRESS
  | WHEN | SLO | DURING | ACKNOWLEDGE | INTO | FOR | NAMED | MAP | CONFORMS | BASE | SET | USING | VIA | UNDOES | POLICY | DIALECT
  | LABEL | WHERE | SPREADING | PERMIT | DENY | REDACT | MASK | UNLESS | NEVER | STORE | BREAK_GLASS | OBLIGES | CONSUMER
  | IDENTITY | ORGANIZATION | ROLE | PURPOSE | RESOURCES | TEST | GIVEN | MESSAGE | FILE | EXPECT | MIGRATE | BACKFILL | SINCE
  | UNTIL | TYPE | TEXT_WORD | AND | OR | XOR | IMPLIES | IN | CONTAINS | IS | AS | DIV | MOD
  ;

// ---- words: EDITION … FALSE stay together, the token filter relies on the range ----
EDITION : 'edition' ;
PACKAGE : 'package' ;
USE : 'use' ;
AUTHORITY : 'authority' ;
KEYSPACE : 'keyspace' ;
OF : 'of' ;
FROM : 'from' ;
WITHIN : 'within' ;
EVENTS : 'events' ;
FN : 'fn' ;
LIFECYCLE : 'lifecycle' ;
TABLE : 'table' ;
TO : 'to' ;
FEED : 'feed' ;
VERSION : 'version' ;
EXTENDS : 'extends' ;
OWNER : 'owner' ;
AGREEMENT : 'agreement' ;
NOTICE : 'notice' ;
ACCEPT : 'accept' ;
PROCESSING : 'processing' ;
VERSIONS : 'versions' ;
TIMEZONE : 'timezone' ;
SEGMENT : 'segment' ;
AFTER : 'after' ;
OPTIONAL : 'optional' ;
REPEATING : 'repeating' ;
REQUIRE : 'require' ;
ON : 'on' ;
IGNORE : 'ignore' ;
BECAUSE : 'because' ;
DUPLICATE : 'duplicate' ;
SAME : 'same' ;
CONTENT : 'content' ;
EXCEPT : 'except' ;
ORDER : 'order' ;
BY : 'by' ;
ELSE : 'else' ;
LATE : 'late' ;
FUTURE : 'future' ;
INVALID : 'invalid' ;
VALUES : 'values' ;
SUPPRESS : 'suppress' ;
WHEN : 'when' ;
SLO : 'slo' ;
DURING : 'during' ;
ACKNOWLEDGE : 'acknowledge' ;
MERGE : 'merge' ;
INTO : 'into' ;
FOR : 'for' ;
EACH : 'each' ;
NAMED : 'named' ;
MAP : 'map' ;
CONFORMS : 'conforms' ;
BASE : 'base' ;
KEY : 'key' ;
SNAPSHOT : 'snapshot' ;
SET : 'set' ;
ON_FAIL : 'on_fail' ;
SKIP_WORD : 'skip' ;
USING : 'using' ;
VIA : 'via' ;
ABSENT : 'absent' ;
UNDOES : 'undoes' ;
POLICY : 'policy' ;
DIALECT : 'dialect' ;
LABEL : 'label' ;
WHERE : 'where' ;
SPREADING : 'spreading' ;
PERMIT : 'permit' ;
DENY : 'deny' ;
REDACT : 'redact' ;
MASK : 'mask' ;
UNLESS : 'unless' ;
NEVER : 'never' ;
STORE : 'store' ;
BREAK_GLASS : 'break_glass' ;
OBLIGES : 'obliges' ;
CONSUMER : 'consumer' ;
IDENTITY : 'identity' ;
ORGANIZATION : 'organization' ;
ROLE : 'role' ;
PURPOSE : 'purpose' ;
RESOURCES : 'resources' ;
TEST : 'test' ;
GIVEN : 'given' ;
MESSAGE : 'message' ;
FILE : 'file' ;
EXPECT : 'expect' ;
MIGRATE : 'migrate' ;
BACKFILL : 'backfill' ;
SINCE : 'since' ;
UNTIL : 'until' ;
TYPE : 'type' ;
TEXT_WORD : 'text' ;
AND : 'and' ;
OR : 'or' ;
XOR : 'xor' ;
IMPLIES : 'implies' ;
IN : 'in' ;
CONTAINS : 'contains' ;
IS : 'is' ;
AS : 'as' ;
DIV : 'div' ;
MOD : 'mod' ;
TRUE : 'true' ;
FALSE : 'false' ;

// ---- names and paths ----
V2FIELD : UPPER UPPER_OR_DIGIT UPPER_OR_DIGIT '-' [1-9] [0-9]* ;         // PID-5, without blanks
EVENT : UPPER UPPER_OR_DIGIT UPPER_OR_DIGIT '^' (UPPER UPPER_OR_DIGIT UPPER_OR_DIGIT | '*') ;
IDENT : [A-Za-z_] [A-Za-z0-9_]* ;
DELIMITED : '`' (ESCAPE | ~[`\\\r\n])* '`' ;
THIS : '$this' ;
INDEX : '$index' ;
TOTAL : '$total' ;
ENV : '%' ([A-Za-z_] [A-Za-z0-9_]* | '\'' (ESCAPE | ~['\\\r\n])* '\'' | '`' (ESCAPE | ~[`\\\r\n])* '`' | '"' (ESCAPE | ~["\\\r\n])* '"') ;
STEP : '.' [0-9]+ ;                                                      // no literal starts with a dot
REPEAT : '#' [1-9] [0-9]* ;

// ---- literals ----
VERSION_NUMBER : [0-9]+ '.' [0-9]+ ('.' [0-9]+)+ ;
CLOCK : [0-9] [0-9] ':' [0-9] [0-9] ;
NUMBER : [0-9]+ ('.' [0-9]+)? ;
STRING : '\'' (ESCAPE | ~['\\\r\n])* '\'' ;
TEXT : '"' (ESCAPE | ~["\\\r\n])* '"' ;
DATETIME : '@' DATE_PART 'T' (TIME_PART ZONE?)? ;
DATE : '@' DATE_PART ;
TIME : '@T' TIME_PART ZONE? ;                                            // the checker refuses the zone
EMPTY : '{' [ \t]* '}' ;

// ---- signs ----
LBRACE : '{' ;
RBRACE : '}' ;
LPAREN : '(' ;
RPAREN : ')' ;
LBRACK : '[' ;
RBRACK : ']' ;
COMMA : ',' ;
COLON : ':' ;
SEMI : ';' ;
RANGE : '..' ;
DOT : '.' ;
ARROW : '->' ;
PLUS : '+' ;
MINUS : '-' ;
STAR : '*' ;
SLASH : '/' ;
AMP : '&' ;
PIPE : '|' ;
LE : '<=' ;
LT : '<' ;
GT : '>' ;
GE : '>=' ;
EQ : '=' ;
TILDE : '~' ;
NE : '!=' ;
NOT_TILDE : '!~' ;
PERCENT : '%' ;

// ---- what the parser does not see; in pure FHIRPath the reader passes newlines as vertical tabs ----
DOC_COMMENT : '///' ~[\r\n\u000B]* -> channel(HIDDEN) ;
LINE_COMMENT : '//' ~[\r\n\u000B]* -> channel(HIDDEN) ;
BLOCK_COMMENT : '/*' .*? '*/' -> channel(HIDDEN) ;
BLANK : [ \t\r\n\u000B\u000C\uFEFF]+ -> skip ;
OPEN_COMMENT : '/*' ;
OPEN_STRING : '\'' (ESCAPE | ~['\\\r\n])* ;
OPEN_TEXT : '"' (ESCAPE | ~["\\\r\n])* ;
OPEN_DELIMITED : '`' (ESCAPE | ~[`\\\r\n])* ;
UNKNOWN : . ;

fragment ESCAPE : '\\' ~[\r\n] ;
fragment UPPER : [A-Z] ;
fragment UPPER_OR_DIGIT : [A-Z0-9] ;
fragment DATE_PART : [0-9] [0-9] [0-9] [0-9] ('-' [0-9] [0-9] ('-' [0-9] [0-9])?)? ;
fragment TIME_PART : [0-9] [0-9] (':' [0-9] [0-9] (':' [0-9] [0-9] ('.' [0-9]+)?)?)? ;
fragment ZONE : 'Z' | [+\-] [0-9] [0-9] ':' [0-9] [0-9] ;
