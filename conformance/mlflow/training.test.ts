import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();
const isNewer = (version: string) => version.startsWith("3.");

testFlow(plinth, {
  script: "sklearn_autolog",
  checks: {
    "logs what autolog promises": (seen, version) => {
      expect(seen).toMatchObject({
        status: "FINISHED",
        param: "0.5",
        has_training_score: true,
        estimator: "Pipeline",
        datasets: ["train"],
      });
      const plots = [
        "training_confusion_matrix.png",
        "training_precision_recall_curve.png",
        "training_roc_curve.png",
      ];
      // 2.9.2 keeps the model below the run, 3.x as a logged model of its own.
      const model = isNewer(version) ? [] : ["model"];
      expect(seen["artifacts"]).toEqual(["estimator.html", "metric_info.json", ...model, ...plots]);
    },
    "logs the metric of a later score call": (seen) =>
      expect(seen["score"]).toEqual([seen["expected_score"]]),
    "loads a model that predicts the same": (seen) => expect(seen["predictions_equal"]).toBe(true),
    "makes a logged model where the client has them": (seen, version) => {
      expect(seen["logged_models"]).toEqual(isNewer(version) ? [[true, "READY", "model", true]] : undefined);
      expect(seen["outputs"]).toEqual(isNewer(version) ? [true] : undefined);
      expect(seen["model_metrics"]).toEqual(
        isNewer(version) ? ["Pipeline_score_unknown_dataset"] : undefined,
      );
    },
  },
});

testFlow(plinth, {
  script: "xgboost_autolog",
  checks: {
    "logs a point for every round": (seen) =>
      expect(seen).toMatchObject({ history: 25, history_equal: true }),
    "keeps the last value exactly": (seen) => expect(seen["last"]).toBe(seen["expected_last"]),
    "logs params and importances": (seen, version) => {
      expect(seen).toMatchObject({ status: "FINISHED", depth: "3" });
      const model = isNewer(version) ? [] : ["model"];
      expect(seen["artifacts"]).toEqual([
        "feature_importance_weight.json",
        "feature_importance_weight.png",
        ...model,
      ]);
    },
    "loads a booster that predicts the same": (seen) => expect(seen["predictions_equal"]).toBe(true),
  },
});
