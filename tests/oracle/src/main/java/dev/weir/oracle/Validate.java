package dev.weir.oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hl7.fhir.common.hapi.validation.support.CachingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.ValueSet;
import org.hl7.fhir.utilities.npm.NpmPackage;

/**
 * Validates NDJSON resources against R4 and the profiles they claim, offline.
 *
 * <p>Usage: Validate FILE.ndjson [--package US_CORE.tgz]... [--codes US_CORE_3.1.1.tgz]... (of the latter the code systems, and
 * the race and ethnicity value sets, which later packages take from VSAC and do not hold). Exit 1 when an error remains. Structure, cardinality, type,
 * required-binding and invariant errors always count. What offline terminology cannot know is counted and listed by code
 * system, never silenced otherwise. Messages are printed with the location and without values.
 */
public final class Validate {
  /** Code systems whose content is not in the R4 packages: membership cannot be judged offline. */
  private static final Pattern UNKNOWN_SYSTEM =
      Pattern.compile(
          "(?:Unknown code system|CodeSystem is unknown and can't be validated|Unable to validate code|"
              + "A definition for CodeSystem|ValueSet .* not found|Unable to expand ValueSet|"
              + "code system .* could not be found|Unable to resolve).*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern URL = Pattern.compile("(https?://[^\\s'\"|)]+|urn:[^\\s'\"|)]+)");

  public static void main(String[] args) throws Exception {
    String file = null;
    List<String> packages = new ArrayList<>();
    List<String> codes = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--package")) packages.add(args[++i]);
      else if (args[i].equals("--codes")) codes.add(args[++i]);
      else file = args[i];
    }
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport extra = new PrePopulatedValidationSupport(context);
    packages.addAll(codes);
    for (String path : packages) {
      NpmPackage npm = NpmPackage.fromPackage(new FileInputStream(path));
      String[] all = {"StructureDefinition", "ValueSet", "CodeSystem"};
      boolean standIn = codes.contains(path);
      for (String type : standIn ? new String[] {"CodeSystem", "ValueSet"} : all) {
        for (String name : npm.listResources(type)) {
          IBaseResource r = context.newJsonParser().parseResource(new String(npm.load("package", name).readAllBytes(), "UTF-8"));
          if (standIn && r instanceof ValueSet set) {
            if (!set.getUrl().matches(".*/(omb|detailed)-(race|ethnicity)(-category)?")) continue;
            set.setVersion("6.1.0");
          }
          extra.addResource(r);
        }
      }
    }
    IValidationSupport chain =
        new CachingValidationSupport(
            new ValidationSupportChain(
                extra,
                new DefaultProfileValidationSupport(context),
                new CommonCodeSystemsTerminologyService(context),
                new InMemoryTerminologyServerValidationSupport(context)));
    FhirInstanceValidator instance = new FhirInstanceValidator(chain);
    instance.setAnyExtensionsAllowed(true);
    instance.setErrorForUnknownProfiles(true);
    FhirValidator validator = context.newValidator();
    validator.registerValidatorModule(instance);

    Map<String, Integer> types = new TreeMap<>();
    Map<String, Integer> unknown = new TreeMap<>();
    Map<String, Integer> kinds = new TreeMap<>();
    int resources = 0;
    int errors = 0;
    try (BufferedReader in = new BufferedReader(new FileReader(file))) {
      for (String line; (line = in.readLine()) != null; ) {
        if (line.isBlank()) continue;
        resources++;
        Matcher t = Pattern.compile("\"resourceType\":\"([A-Za-z]+)\"").matcher(line);
        String type = t.find() ? t.group(1) : "?";
        types.merge(type, 1, Integer::sum);
        for (SingleValidationMessage m : validator.validateWithResult(line).getMessages()) {
          if (m.getSeverity() != ResultSeverityEnum.ERROR && m.getSeverity() != ResultSeverityEnum.FATAL) continue;
          String text = m.getMessage();
          if (UNKNOWN_SYSTEM.matcher(text).lookingAt() && !text.contains("required")) {
            Matcher u = URL.matcher(text);
            unknown.merge(u.find() ? u.group(1) : "?", 1, Integer::sum);
            continue;
          }
          errors++;
          String shown = text.replaceAll("'[^']*'", "'…'");
          kinds.merge(type + " " + m.getLocationString().replaceAll("\\[[0-9]+\\]", "") + ": " + shown, 1, Integer::sum);
        }
      }
    }
    kinds.forEach((k, n) -> System.out.println("error " + n + " x " + k));
    unknown.forEach((k, n) -> System.out.println("not judged offline " + n + " x " + k));
    types.forEach((k, n) -> System.out.println("resources " + k + " " + n));
    System.out.println("{\"resources\":" + resources + ",\"errors\":" + errors + "}");
    System.exit(errors == 0 && resources > 0 ? 0 : 1);
  }
}
